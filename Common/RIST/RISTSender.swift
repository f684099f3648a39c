import CRist
import Glibc
package import Posix
import Units

/// A sender of one RIST flow (main profile, AES-256) over any number of peers: librist's bonding.
///
/// Any thread. `write` never waits; `add` and `remove` may take some 100 ms and belong on a control thread.
package final class RISTSender: @unchecked Sendable {
    // Sendable: librist locks its own context; `peers` is behind its lock, which is never held over a call of librist.
    private let context: OpaquePointer
    private let sink: Unmanaged<Sink>
    private let passphrase: RISTPassphrase
    private let bufferMs: Int
    /// One creation at a time: librist numbers its peers in that order.
    private let creation = Guarded(())

    package struct PeerID: Hashable, Sendable {
        package let number: Int
    }

    package struct Peer: Sendable {
        package var address: SocketAddress
        /// The interface that all of its packets leave by; nil follows the routes.
        package var interface: String?
        /// 1 to 25: its share. 0 sends every packet here as well as over the others.
        package var weight: Int
        /// Kilobits per second, media and retransmissions; above it retransmissions are held back.
        package var bandwidthKbits: Int

        package init(address: SocketAddress, interface: String?, weight: Int, bandwidthKbits: Int = 100_000) {
            self.address = address
            self.interface = interface
            self.weight = weight
            self.bandwidthKbits = bandwidthKbits
        }
    }

    package enum Event: Sendable {
        /// The receiver answered for the first time, or again.
        case connected(PeerID)
        case timedOut(PeerID)
        /// Each 100 ms while librist counts the peer as alive.
        case statistics(PeerID, RISTPeerStatistics)
    }

    package enum Written: Sendable, Hashable {
        case queued
        /// librist's queue is full: the links do not carry what is offered. The packet is dropped.
        case congested
        /// There is no peer yet, or librist is out of memory. The packet is dropped.
        case refused
    }

    package enum Failure: Error, Sendable {
        case rist(RISTError)
        case system(SystemError)
        /// The socket of the peer could not be told from others that were opened in the same moment, several times.
        case socketNotFound
    }

    /// How often statistics come: liveness is judged by them.
    package static let reportIntervalMs = 100

    /// - Parameter onEvent: on librist's thread; must not wait and not call this sender.
    package init(
        passphrase: RISTPassphrase, bufferMs: Int, onEvent: @escaping @Sendable (Event) -> Void
    ) throws(RISTError) {
        let settings = try RISTLogging.pinningSettings()
        let sink = Unmanaged.passRetained(Sink(onEvent))
        var created: OpaquePointer?
        var code = rist_sender_create(&created, RIST_PROFILE_MAIN, 0, settings)
        func check(_ function: String, _ result: CInt) throws(RISTError) {
            guard result != 0 else { return }
            if let created { rist_destroy(created) }
            sink.release()
            throw RISTError(function, result)
        }
        try check("rist_sender_create", code)
        guard let context = created else { throw RISTError("rist_sender_create", code) }
        code = rist_connection_status_callback_set(context, senderConnection, sink.toOpaque())
        try check("rist_connection_status_callback_set", code)
        code = rist_stats_callback_set(context, CInt(Self.reportIntervalMs), senderStatistics, sink.toOpaque())
        try check("rist_stats_callback_set", code)
        code = rist_start(context)
        try check("rist_start", code)
        self.context = context
        self.sink = sink
        self.passphrase = passphrase
        self.bufferMs = bufferMs
    }

    deinit {
        // rist_destroy joins the library's threads, so no callback runs after it and the sink can go.
        rist_destroy(context)
        sink.release()
    }

    /// Adds a peer and binds its socket to its interface, or leaves no peer behind.
    package func add(_ peer: Peer) throws(Failure) -> PeerID {
        let result: Result<PeerID, Failure> = creation.withLock { _ in
            for _ in 0..<5 {
                do throws(Failure) {
                    if let id = try create(peer) { return .success(id) }
                } catch { return .failure(error) }
            }
            return .failure(.socketNotFound)
        }
        return try result.get()
    }

    /// - Returns: nil where the socket could not be told from others.
    private func create(_ peer: Peer) throws(Failure) -> PeerID? {
        let address: RISTAddress
        do { address = try RISTAddress(url(of: peer)) } catch { throw .rist(error) }
        let (handle, code, outcome) = try open(address, peer)
        guard code == 0, let handle else { throw .rist(RISTError("rist_peer_create", code)) }
        let id = sink.takeUnretainedValue().opened(handle)
        switch outcome {
        case .bound, nil: return id
        case .notFound:
            remove(id)
            return nil
        case .failed(let error):
            // Unbound it would send by the default route.
            remove(id)
            throw .system(error)
        }
    }

    /// - Returns: without an outcome where nothing was to be bound.
    private func open(_ address: borrowing RISTAddress, _ peer: Peer) throws(Failure) -> (OpaquePointer?, CInt, InterfacePin.Outcome?) {
        var handle: OpaquePointer?
        guard let interface = peer.interface else {
            let code = rist_peer_create(context, &handle, address.config)
            return (handle, code, nil)
        }
        let config = address.config
        switch InterfacePin.during(interface, family: peer.address.family, { rist_peer_create(context, &handle, config) }) {
        case .success((let code, let outcome)): return (handle, code, outcome)
        case .failure(let error): throw .system(error)
        }
    }

    private func url(of peer: Peer) -> String {
        var parameters = RISTAddress.encryption(passphrase)
        parameters += [
            ("cname", "strata"), ("weight", "\(min(max(peer.weight, 0), 25))"), ("buffer", "\(bufferMs)"),
            ("bandwidth", "\(peer.bandwidthKbits)"), ("session-timeout", "\(RISTTiming.senderSessionMs)"),
            // Off: its guard against requests that come too early compares with the buffer's length where it means the round trip
            // (0.2.7 to 0.2.11, several peers), and so repairs a packet that is lost alone only once. Our receiver waits a round trip.
            ("congestion-control", "0"),
        ]
        return RISTAddress.url(peer.address, parameters)
    }

    /// Changes a peer's share while it runs; unknown peers are ignored.
    package func setWeight(_ weight: Int, of id: PeerID) {
        guard let handle = sink.takeUnretainedValue().handle(of: id) else { return }
        // It fails only for a peer of another context.
        _ = rist_peer_weight_set(context, handle, UInt32(min(max(weight, 0), 25)))
    }

    /// Removes a peer. It should have been silent for the buffer's length: until 0.2.14 a retransmission that is queued for
    /// it is sent through freed memory.
    package func remove(_ id: PeerID) {
        guard let handle = sink.takeUnretainedValue().closed(id) else { return }
        // Without the zero first, its share is skipped for ever (0.2.7: total_weight is not reduced).
        _ = rist_peer_weight_set(context, handle, 0)
        _ = rist_peer_destroy(context, handle)
    }

    /// Queues one packet of at most 1316 bytes. Any thread; copies.
    package func write(_ packet: UnsafeRawBufferPointer) -> Written {
        var block = rist_data_block()
        block.payload = packet.baseAddress
        block.payload_len = packet.count
        switch rist_sender_data_write(context, &block) {
        case let count where count >= 0: return .queued
        case -2: return .congested
        default: return .refused
        }
    }
}

/// What librist's callbacks reach: the peers by handle and number, and the owner's closure.
private final class Sink: Sendable {
    private let onEvent: @Sendable (RISTSender.Event) -> Void
    private let peers = Guarded(Peers())

    private struct Peers {
        /// librist numbers the peers of a context from 1 in the order of their creation (`adv_peer_id`).
        var created = 0
        var handles: [RISTSender.PeerID: OpaquePointer] = [:]
        var ids: [OpaquePointer: RISTSender.PeerID] = [:]
        /// Answered between their creation and `opened`.
        var early: Set<OpaquePointer> = []
    }

    init(_ onEvent: @escaping @Sendable (RISTSender.Event) -> Void) { self.onEvent = onEvent }

    func opened(_ handle: OpaquePointer) -> RISTSender.PeerID {
        let (id, isEarly) = peers.withLock { peers in
            peers.created += 1
            let id = RISTSender.PeerID(number: peers.created)
            peers.handles[id] = handle
            peers.ids[handle] = id
            return (id, peers.early.remove(handle) != nil)
        }
        if isEarly { onEvent(.connected(id)) }
        return id
    }

    func closed(_ id: RISTSender.PeerID) -> OpaquePointer? {
        peers.withLock { peers in
            guard let handle = peers.handles.removeValue(forKey: id) else { return nil }
            peers.ids[handle] = nil
            return handle
        }
    }

    func handle(of id: RISTSender.PeerID) -> OpaquePointer? { peers.withLock { $0.handles[id] } }

    func connection(_ handle: OpaquePointer, _ status: rist_connection_status) {
        let isConnected = status == RIST_CONNECTION_ESTABLISHED
        let id = peers.withLock { peers in
            let id = peers.ids[handle]
            if id == nil, isConnected { peers.early.insert(handle) }
            return id
        }
        guard let id else { return }
        onEvent(isConnected ? .connected(id) : .timedOut(id))
    }

    func statistics(_ json: UnsafeRawBufferPointer) {
        guard case .peer(let number, let statistics) = RISTReport(json: json) else { return }
        let id = RISTSender.PeerID(number: number)
        guard handle(of: id) != nil else { return }
        onEvent(.statistics(id, statistics))
    }
}

private func senderConnection(_ context: UnsafeMutableRawPointer?, _ peer: OpaquePointer?, _ status: rist_connection_status) {
    guard let context, let peer else { return }
    Unmanaged<Sink>.fromOpaque(context).takeUnretainedValue().connection(peer, status)
}

private func senderStatistics(_ context: UnsafeMutableRawPointer?, _ report: UnsafePointer<rist_stats>?) -> CInt {
    guard let context, let report else { return 0 }
    if let json = report.pointee.stats_json {
        let bytes = UnsafeRawBufferPointer(start: json, count: strlen(json))
        Unmanaged<Sink>.fromOpaque(context).takeUnretainedValue().statistics(bytes)
    }
    rist_stats_free(report)
    return 0
}
