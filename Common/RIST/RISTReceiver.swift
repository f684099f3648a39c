import CRist
import Glibc
import Posix

/// A receiver of RIST on 127.0.0.1 (main profile, AES-256), behind whatever guards the public port.
///
/// Its threads call `onPacket` and `onEvent`; both end before `deinit` returns.
package final class RISTReceiver: @unchecked Sendable {
    // Sendable: librist locks its own context, everything here is constant.
    private let context: OpaquePointer
    private let sink: Unmanaged<Sink>
    /// Where it listens, on 127.0.0.1.
    package let port: Int

    package struct Packet {
        /// Valid during the callback only.
        package let bytes: UnsafeRawBufferPointer
        package let flow: UInt32
        /// The RTP sequence number, 16 bits.
        package let sequence: UInt16
    }

    package enum Event: Sendable {
        /// A source was heard for the first time: its number in the statistics, and the address it sends from.
        case joined(peer: Int, host: String)
        /// Each 500 ms for each flow.
        case statistics(RISTFlowStatistics)
    }

    package struct Configuration: Sendable {
        package var passphrase: RISTPassphrase
        /// How long a packet waits for those before it.
        package var bufferMs: Int
        /// The difference in delay between links that is not taken for loss.
        package var skewMs: Int

        package init(passphrase: RISTPassphrase, bufferMs: Int, skewMs: Int) {
            self.passphrase = passphrase
            self.bufferMs = bufferMs
            self.skewMs = skewMs
        }
    }

    /// - Parameters:
    ///   - accept: whether a source, by its address on loopback, may join; on librist's thread.
    ///   - onPacket: each packet in order, on librist's thread: copies out and does not wait.
    ///   - onEvent: on librist's threads; must not wait.
    package init(
        _ configuration: Configuration, accept: @escaping @Sendable (String) -> Bool,
        onPacket: @escaping @Sendable (Packet) -> Void, onEvent: @escaping @Sendable (Event) -> Void
    ) throws(RISTError) {
        let settings = try RISTLogging.silentSettings()
        var created: OpaquePointer?
        let code = rist_receiver_create(&created, RIST_PROFILE_MAIN, settings)
        guard code == 0, let context = created else { throw RISTError("rist_receiver_create", code) }
        let sink = Unmanaged.passRetained(Sink(accept: accept, onPacket: onPacket, onEvent: onEvent))
        do throws(RISTError) {
            try Self.connect(context, sink)
            port = try Self.listen(context, configuration)
            let code = naming(startedThreads: "librist") { rist_start(context) }
            guard code == 0 else { throw RISTError("rist_start", code) }
        } catch {
            rist_destroy(context)
            sink.release()
            throw error
        }
        self.context = context
        self.sink = sink
    }

    deinit {
        // rist_destroy joins the library's threads, so no callback runs after it and the sink can go.
        rist_destroy(context)
        sink.release()
    }

    private static func connect(_ context: OpaquePointer, _ sink: Unmanaged<Sink>) throws(RISTError) {
        func check(_ function: String, _ code: CInt) throws(RISTError) {
            if code != 0 { throw RISTError(function, code) }
        }
        let argument = sink.toOpaque()
        try check("rist_auth_handler_set", rist_auth_handler_set(context, receiverJoined, receiverLeft, argument))
        try check("rist_stats_callback_set", rist_stats_callback_set(context, 500, receiverStatistics, argument))
        try check("rist_receiver_data_callback_set2", rist_receiver_data_callback_set2(context, receiverPacket, argument))
    }

    /// Listens on a free port of 127.0.0.1: librist takes no port 0, so one is asked of the kernel first; it may be gone by then.
    private static func listen(_ context: OpaquePointer, _ configuration: Configuration) throws(RISTError) -> Int {
        var failure = RISTError("rist_peer_create", -1)
        for _ in 0..<20 {
            guard let port = freePort() else { throw RISTError("bind", errno) }
            let address = try RISTAddress(url(configuration, port: port))
            var peer: OpaquePointer?
            let code = rist_peer_create(context, &peer, address.config)
            if code == 0 { return port }
            failure = RISTError("rist_peer_create", code)
        }
        throw failure
    }

    private static func url(_ configuration: Configuration, port: Int) -> String {
        var parameters = RISTAddress.encryption(configuration.passphrase)
        parameters += [
            ("cname", "strata"), ("buffer", "\(configuration.bufferMs)"), ("session-timeout", "\(RISTTiming.receiverSessionMs)"),
            ("reorder-buffer", "\(configuration.skewMs)"),
        ]
        // 0.2.8 to 0.2.12 compare the reorder buffer with the wrong unit; there the first NACK waits for half of rtt-min.
        if RISTVersion.isAfter027 { parameters.append(("rtt-min", "\(2 * configuration.skewMs)")) }
        return RISTAddress.url(listening: true, .loopback(port: port), parameters)
    }

    private static func freePort() -> Int? {
        let socket = Glibc.socket(AF_INET, CInt(SOCK_DGRAM.rawValue), 0)
        guard socket >= 0 else { return nil }
        defer { close(socket) }
        let bound = SocketAddress.loopback(port: 0).withSockaddr { bind(socket, $0, $1) }
        guard bound == 0 else { return nil }
        var storage = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let code = withUnsafeMutablePointer(to: &storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(socket, $0, &length) }
        }
        return code == 0 ? Int(UInt16(bigEndian: storage.sin_port)) : nil
    }
}

/// What librist's callbacks reach.
private final class Sink: Sendable {
    let accept: @Sendable (String) -> Bool
    let onPacket: @Sendable (RISTReceiver.Packet) -> Void
    let onEvent: @Sendable (RISTReceiver.Event) -> Void
    /// librist numbers the peers of a context from 1 (`adv_peer_id`); the first is the listening one.
    private let joined = Guarded(1)

    init(
        accept: @escaping @Sendable (String) -> Bool, onPacket: @escaping @Sendable (RISTReceiver.Packet) -> Void,
        onEvent: @escaping @Sendable (RISTReceiver.Event) -> Void
    ) {
        self.accept = accept
        self.onPacket = onPacket
        self.onEvent = onEvent
    }

    /// The port that librist passes is read from the wrong memory (0.2.7), so only the address is used.
    func joins(host: String) -> Bool {
        let peer = joined.withLock { count in
            count += 1
            return count
        }
        guard accept(host) else { return false }
        onEvent(.joined(peer: peer, host: host))
        return true
    }
}

private func sink(_ context: UnsafeMutableRawPointer?) -> Sink? {
    context.map { Unmanaged<Sink>.fromOpaque($0).takeUnretainedValue() }
}

private func receiverJoined(
    _ context: UnsafeMutableRawPointer?, _ host: UnsafePointer<CChar>?, _ port: UInt16, _ localHost: UnsafePointer<CChar>?,
    _ localPort: UInt16, _ peer: OpaquePointer?
) -> CInt {
    guard let sink = sink(context), let host else { return -1 }
    return sink.joins(host: String(cString: host)) ? 0 : -1
}

/// librist calls it without looking whether it is set.
private func receiverLeft(_ context: UnsafeMutableRawPointer?, _ peer: OpaquePointer?) -> CInt { 0 }

private func receiverPacket(_ context: UnsafeMutableRawPointer?, _ block: UnsafeMutablePointer<rist_data_block>?) -> CInt {
    var block = block
    if let data = block?.pointee, let sink = sink(context) {
        let bytes = UnsafeRawBufferPointer(start: data.payload, count: data.payload_len)
        sink.onPacket(RISTReceiver.Packet(bytes: bytes, flow: data.flow_id, sequence: UInt16(truncatingIfNeeded: data.seq)))
    }
    rist_receiver_data_block_free2(&block)
    return 0
}

private func receiverStatistics(_ context: UnsafeMutableRawPointer?, _ report: UnsafePointer<rist_stats>?) -> CInt {
    guard let report else { return 0 }
    if let sink = sink(context), let json = report.pointee.stats_json,
        case .flow(let statistics) = RISTReport(json: UnsafeRawBufferPointer(start: json, count: strlen(json)))
    {
        sink.onEvent(.statistics(statistics))
    }
    rist_stats_free(report)
    return 0
}
