import CLab
import Glibc
import Posix

package enum Direction: String, Hashable, Sendable, Codable, CaseIterable {
    /// Away from the field, and towards it.
    case up, down
}

/// Shapes links in real time: one thread that moves packets between sockets when `EmulatedLink` says so, and records how
/// late it was. A link joins two packet sockets (frames pass), or relays UDP datagrams on one machine's addresses.
package final class LinkEmulator: @unchecked Sendable {
    // Sendable: `state` is behind its lock, the rest is set once; the thread ends before `stop` returns.
    private let state = Guarded(EmulatorState())
    private let wakeReader: CInt
    private let wakeWriter: CInt
    private var thread = pthread_t()

    package init() throws {
        var ends: [CInt] = [0, 0]
        guard pipe(&ends) == 0 else { throw SystemError("pipe") }
        wakeReader = ends[0]
        wakeWriter = ends[1]
        for end in ends {
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
        }
        let context = Unmanaged.passRetained(self)
        let code = pthread_create(&thread, nil, emulate, context.toOpaque())
        guard code == 0 else {
            context.release()
            throw SystemError("pthread_create", code)
        }
    }

    /// Ends the thread and closes every socket.
    package func stop() {
        let wasRunning = state.withLock { state in
            defer { state.isStopping = true }
            return !state.isStopping
        }
        guard wasRunning else { return }
        wake()
        pthread_join(thread, nil)
        state.withLock { $0.closeAll() }
        close(wakeReader)
        close(wakeWriter)
    }

    // MARK: Links

    /// Joins two packet sockets, which are the emulator's from now on.
    func join(_ name: String, field: CInt, cloud: CInt, shape: LinkShape, translation: StickNAT?, seed: UInt64) {
        state.withLock { state in
            state.translations[name] = translation
            state.links[name] = ShapedLink(shape, seed: seed)
            state.entrances[field] = Entrance(link: name, direction: .up, kind: .frames(exit: cloud))
            state.entrances[cloud] = Entrance(link: name, direction: .down, kind: .frames(exit: field))
        }
        wake()
    }

    /// Relays the datagrams that come to `listen` to `target` and the answers back, as a NAT does: IPv4 literals.
    /// - Parameter ports: relayed one to one.
    package func relay(_ name: String, listen: String, target: String, ports: ClosedRange<Int>, shape: LinkShape, seed: UInt64) throws {
        var entrances: [CInt: Entrance] = [:]
        for port in ports {
            let descriptor = try udpSocket()
            entrances[descriptor] = Entrance(link: name, direction: .up, kind: .listener(target: try address(target, port)))
            var local = try address(listen, port)
            guard withSockaddr(&local, { bind(descriptor, $0, $1) }) == 0 else {
                let error = SystemError("bind", on: "\(listen):\(port)")
                for descriptor in entrances.keys { close(descriptor) }
                throw error
            }
        }
        let opened = entrances
        state.withLock { state in
            state.links[name] = ShapedLink(shape, seed: seed)
            state.entrances.merge(opened) { $1 }
        }
        wake()
    }

    /// Takes a link away: its sockets are closed, what is on its way is lost.
    package func remove(_ name: String) {
        state.withLock { state in
            state.links[name] = nil
            for (descriptor, entrance) in state.entrances where entrance.link == name {
                state.entrances[descriptor] = nil
                state.leaving.append(descriptor)
            }
        }
        wake()
        closeReleased()
    }

    /// Closes what the thread has let go of, here and not there: the kernel takes some 20 ms to close a packet socket, which
    /// would make every packet of those late.
    private func closeReleased() {
        while true {
            let (released, isDone) = state.withLock { state in (state.takeReleased(), state.leaving.isEmpty || state.isStopping) }
            for descriptor in released { close(descriptor) }
            if isDone && released.isEmpty { return }
            usleep(500)
        }
    }

    /// Shapes a direction, both where none is given, anew from now on.
    /// - Returns: when that was, nanoseconds of the monotonic clock; a trace counts from then.
    @discardableResult
    package func change(_ name: String, _ direction: Direction? = nil, to profile: LinkProfile) -> Int64 {
        let now = state.withLock { state in
            let now = Instant.now.nanoseconds
            if direction != .down { state.links[name]?.up.change(to: profile, at: now) }
            if direction != .up { state.links[name]?.down.change(to: profile, at: now) }
            return now
        }
        wake()
        return now
    }

    /// The stick forgets its mappings: what comes from the field leaves by other ports.
    func rebind(_ name: String) { state.withLock { $0.translations[name]?.rebind() } }

    package func profile(_ name: String, _ direction: Direction) -> LinkProfile? {
        state.withLock { direction == .up ? $0.links[name]?.up.profile : $0.links[name]?.down.profile }
    }

    package func count(_ name: String, _ direction: Direction) -> LinkCount {
        state.withLock { (direction == .up ? $0.links[name]?.up.count : $0.links[name]?.down.count) ?? LinkCount() }
    }

    package func series(_ name: String, _ direction: Direction) -> LinkSeries {
        state.withLock { (direction == .up ? $0.links[name]?.up.series : $0.links[name]?.down.series) ?? LinkSeries() }
    }

    /// Listens to a link from now on: the first 20,000 packets that enter it upwards, whether they arrive or not.
    package func tap(_ name: String) { state.withLock { $0.taps[name] = [] } }

    package func tapped(_ name: String) -> [[UInt8]] { state.withLock { $0.taps[name] ?? [] } }

    package var lateness: Lateness { state.withLock { $0.lateness } }

    package func resetLateness() { state.withLock { $0.lateness.reset() } }

    // MARK: The thread

    private func wake() {
        var byte: UInt8 = 0
        // A full pipe wakes as well.
        _ = write(wakeWriter, &byte, 1)
    }

    fileprivate func run() {
        // Where it is not allowed the lateness shows whether that mattered.
        _ = clab_real_time()
        var waiting: [clab_ready] = []
        while true {
            let wait = state.withLock { state -> Int64? in
                guard !state.isStopping else { return nil }
                waiting = [clab_ready(descriptor: wakeReader, readable: 0)]
                waiting += state.entrances.keys.map { clab_ready(descriptor: $0, readable: 0) }
                return state.next.map { max(0, $0 - Instant.now.nanoseconds) } ?? -1
            }
            guard let wait else { return }
            _ = clab_wait(&waiting, CInt(waiting.count), wait)
            if waiting[0].readable != 0 {
                var drained = [UInt8](repeating: 0, count: 64)
                while read(wakeReader, &drained, drained.count) == drained.count {}
            }
            state.withLock { state in
                for entry in waiting.dropFirst() where entry.readable != 0 { state.receive(entry.descriptor) }
                state.deliver()
                state.releaseLeaving()
            }
        }
    }
}

/// Sits on the C side: a pthread's start routine.
private func emulate(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let context else { return nil }
    Unmanaged<LinkEmulator>.fromOpaque(context).takeRetainedValue().run()
    return nil
}
