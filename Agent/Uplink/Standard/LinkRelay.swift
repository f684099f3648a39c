import Logging
import Posix
import Units

/// The way of one link's peer: librist sends to a port on loopback, and what comes there leaves by a socket that is bound to the link; the answers go back.
///
/// On the way requests that are not due are taken out (`RequestJudge`): librist itself has no way to tell them from others.
final class LinkRelay {
    /// Where librist sends to.
    let near: SocketAddress
    fileprivate let number: Int
    fileprivate let inner: UDPSocket
    fileprivate let outer: UDPSocket
    fileprivate let receiver: SocketAddress
    /// What the way to the receiver said last (ICMP), or the kernel of what could not leave. Any thread.
    let fault = Guarded<SystemError?>(nil)
    /// Loop thread.
    fileprivate var hasPeer = false
    fileprivate var watches: [Watch] = []

    private static let buffers = 1 << 20

    /// - Throws: `SystemError`, where the device is not there among others.
    fileprivate init(_ number: Int, to receiver: SocketAddress, over device: String) throws(SystemError) {
        do {
            self.number = number
            self.receiver = receiver
            inner = try UDPSocket(binding: .loopback(port: 0), buffers: Self.buffers)
            outer = try UDPSocket(binding: .any(receiver.family), device: device, buffers: Self.buffers)
            try outer.wantPathErrors()
            near = inner.localAddress
        } catch { throw error as? SystemError ?? SystemError("socket", on: device) }
    }
}

/// The relays of an uplink's links, on a thread of their own: media goes through here, and the conductor's loop may wait.
final class LinkRelays: @unchecked Sendable {
    // Sendable: everything but `made` is touched by the loop's thread alone, and by whoever joined that.
    private let loop: Loop
    private let log: Log
    /// Of what librist sends, and of what comes: nonces from outside use up none of ours.
    private var ownKeys: FlowKeys
    private var keys: FlowKeys
    private var judge: RequestJudge
    private var relays: [Int: LinkRelay] = [:]
    private let batch = DatagramBatch(capacity: 32)
    private let made = Guarded(0)
    /// Requests that were not due, and whether that was said.
    private var held = 0
    private var isSaid = false

    /// A link that is new to the receiver may be asked for some.
    private static let worthSaying = 200

    /// - Throws: `SystemError` where there are no threads or descriptors left.
    init(passphrase: Secret, bufferMs: Int, log: Log) throws {
        loop = try Loop(name: "relay")
        ownKeys = FlowKeys(passphrase)
        keys = ownKeys
        judge = RequestJudge(buffer: .milliseconds(bufferMs))
        self.log = log
    }

    /// Any thread.
    func open(to receiver: SocketAddress, over device: String) throws(SystemError) -> LinkRelay {
        let number = made.withLock { made in
            made += 1
            return made
        }
        let relay = try LinkRelay(number, to: receiver, over: device)
        loop.submit { [self, relay = Passed(relay)] in start(relay.value) }
        return relay
    }

    /// Once its peer is gone. Any thread.
    func close(_ relay: LinkRelay) {
        loop.submit { [self, number = relay.number] in
            relays[number]?.watches.forEach { $0.cancel() }
            relays[number] = nil
            judge.closed(number)
        }
    }

    /// Lets out what librist's last packets left on loopback, and ends the thread.
    func stop() {
        loop.stop()
        for relay in relays.values { while leave(relay) == batch.capacity {} }
        relays = [:]
    }

    // MARK: Loop thread

    private func start(_ relay: LinkRelay) {
        relays[relay.number] = relay
        do {
            relay.watches.append(try loop.watch(relay.inner.descriptor, .read) { [unowned self, unowned relay] _ in leave(relay) })
            relay.watches.append(
                try loop.watch(relay.outer.descriptor, .read) { [unowned self, unowned relay] ready in
                    if ready.contains(.error), let fault = relay.outer.takePathError() { relay.fault.withLock { $0 = fault } }
                    come(relay)
                })
        } catch {
            // Then its peer never answers, and another is tried.
            log.error("a link's sockets cannot be watched", ["reason": .text("\(error)")])
        }
    }

    /// - Returns: how many packets were there.
    @discardableResult
    private func leave(_ relay: LinkRelay) -> Int {
        // ECONNREFUSED: its peer has just gone.
        guard let count = try? relay.inner.receive(batch) else { return 0 }
        let now = Instant.now
        for index in 0..<count {
            if !relay.hasPeer {
                // From here on nobody else on this machine is heard. A failure shows as a peer that never answers.
                guard let source = batch.source(index), (try? relay.inner.connect(to: source)) != nil else { continue }
                relay.hasPeer = true
            }
            note(batch[index], over: relay.number, at: now)
            send(batch[index], over: relay)
        }
        return count
    }

    /// A full buffer, a link that just went: the packet is lost as on any link.
    private func send(_ datagram: UnsafeRawBufferPointer, over relay: LinkRelay) {
        do {
            try relay.outer.send(datagram, to: relay.receiver)
        } catch {
            // It may be of a datagram before, and then this one has not been tried.
            relay.fault.withLock { $0 = error as? SystemError }
            _ = try? relay.outer.send(datagram, to: relay.receiver)
        }
    }

    private func note(_ datagram: UnsafeRawBufferPointer, over link: Int, at now: Instant) {
        guard let packet = GREPacket(datagram), let key = ownKeys.key(of: packet.nonce, at: now) else { return }
        switch packet.content(key) {
        case .media(let number): judge.sent(number, over: link, at: now)
        case .control: for mark in Requests.echoes(packet.control(key)).asked { judge.asked(mark, over: link, at: now) }
        case .other: break
        }
    }

    private func come(_ relay: LinkRelay) {
        // An ICMP error that waits is told here; the next call has what came.
        guard let count = try? relay.outer.receive(batch) else { return }
        let now = Instant.now
        for index in 0..<count where relay.hasPeer && batch.source(index) == relay.receiver {
            judge.heard(over: relay.number, at: now)
            let changed = judged(batch[index], from: relay.number, at: now)
            // librist's buffer is full, or its peer is just going.
            if let changed { _ = try? relay.inner.send(changed) } else { _ = try? relay.inner.send(batch[index]) }
        }
    }

    /// - Returns: nil for what goes on as it came.
    private func judged(_ datagram: UnsafeRawBufferPointer, from link: Int, at now: Instant) -> [UInt8]? {
        guard let packet = GREPacket(datagram), let key = keys.key(of: packet.nonce, at: now), packet.content(key) == .control else {
            return nil
        }
        let compound = packet.control(key)
        for mark in Requests.echoes(compound).answered { judge.answered(mark, over: link, at: now) }
        guard let changed = Requests.without(compound, notDue: { judge.isDue($0, at: now) }) else { return nil }
        held += changed.held
        if held >= Self.worthSaying, !isSaid {
            isSaid = true
            log.notice(
                "the receiver asks for packets that are on their way: its reorder buffer is shorter than the links' difference in delay",
                ["requests": .integer(held)])
        }
        return packet.replacing(changed.compound, key)
    }
}

/// Hands a relay over to the loop that owns it from then on.
private struct Passed: @unchecked Sendable {
    // Sendable: whoever made the relay reads its constants alone.
    let value: LinkRelay
    init(_ value: LinkRelay) { self.value = value }
}
