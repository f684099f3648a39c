import CAres
import Glibc
package import Posix

/// Why a look-up over one interface gave no address.
package struct NameQueryError: Error, Hashable, Sendable, CustomStringConvertible {
    package let host: String
    package let reason: String
    package var description: String { "ask for \(host): \(reason)" }
}

/// One look-up of a host's addresses, IPv4 and IPv6, by name servers of one's choice and over one interface alone (c-ares).
///
/// Loop thread only. `/etc/hosts` is asked first, as c-ares does; a search list is not used: the host is a whole name.
package final class NameQuery {
    package typealias Answer = Result<[SocketAddress], NameQueryError>

    private let loop: Loop
    private let host: String
    private let device: String?
    private var channel: ares_channel?
    private var watches: [CInt: Watch] = [:]
    private var timer: LoopTimer?
    private var sink: Unmanaged<Sink>?
    private var done: ((Answer) -> Void)?

    /// How long a server is waited for before the next one is asked; twice that in the second round, which is the last.
    private static let patienceMs: CInt = 1000
    private static let rounds: CInt = 2
    /// Addresses of an answer that are taken.
    package static let limit = 8

    /// - Parameters:
    ///   - servers: asked in this order; none asks those of /etc/resolv.conf, but for the ones on this machine where there is a device:
    ///     they are behind no interface.
    ///   - device: what every packet leaves by (SO_BINDTODEVICE), also those by TCP.
    ///   - done: takes the answer, on the loop, once and never before `start` has returned.
    package init(
        host: String, servers: [SocketAddress] = [], device: String? = nil, loop: Loop, done: @escaping (Answer) -> Void
    ) {
        self.host = host
        self.device = device
        self.loop = loop
        self.done = done
        open(servers)
    }

    deinit { close() }

    /// Asks. What goes wrong at once is told by `done` as well.
    package func start() {
        guard let channel, let sink else { return }
        var hints = ares_addrinfo_hints()
        hints.ai_family = AF_UNSPEC
        hints.ai_socktype = CInt(SOCK_STREAM.rawValue)
        // Sorting would ask the kernel for routes without our interface.
        hints.ai_flags = CInt(ARES_AI_NOSORT)
        ares_getaddrinfo(channel, host, nil, &hints, answered, sink.toOpaque())
        schedule()
    }

    /// Nothing is told after this.
    package func cancel() {
        done = nil
        close()
    }

    // MARK: The channel

    private func open(_ servers: [SocketAddress]) {
        // Nothing to do on Linux but its own allocator; failing is for want of memory only, and told by the next call.
        _ = Self.library
        let sink = Unmanaged.passRetained(Sink(self, device: device))
        var options = ares_options()
        options.flags = ARES_FLAG_NOSEARCH
        options.timeout = Self.patienceMs
        options.tries = Self.rounds
        options.sock_state_cb = stateChanged
        options.sock_state_cb_data = sink.toOpaque()
        let given = ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB
        var channel: ares_channel?
        let code = ares_init_options(&channel, &options, given)
        guard code == 0, let channel else {
            sink.release()
            return fail(Self.text(code))
        }
        self.channel = channel
        self.sink = sink
        ares_set_socket_configure_callback(channel, configure, sink.toOpaque())
        let chosen = servers.isEmpty ? Self.systemServers(channel, isPinned: device != nil) : servers.map(\.description)
        guard !chosen.isEmpty else { return fail("this link has no name server") }
        let set = ares_set_servers_ports_csv(channel, chosen.joined(separator: ","))
        if set != 0 { fail(Self.text(set)) }
    }

    private static let library = ares_library_init(ARES_LIB_INIT_ALL)

    /// What c-ares has read from /etc/resolv.conf.
    private static func systemServers(_ channel: ares_channel, isPinned: Bool) -> [String] {
        var list: UnsafeMutablePointer<ares_addr_port_node>?
        guard ares_get_servers_ports(channel, &list) == 0 else { return [] }
        defer { if let list { ares_free_data(list) } }
        var servers: [String] = []
        var entry = list
        while let server = entry, servers.count < 8 {
            var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
            let family = server.pointee.family
            withUnsafePointer(to: &server.pointee.addr) { _ = inet_ntop(family, $0, &text, socklen_t(text.count)) }
            let literal = String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            let port = server.pointee.udp_port == 0 ? 53 : Int(server.pointee.udp_port)
            if let address = SocketAddress(literal, port: port), !(isPinned && address.isLoopback) { servers.append("\(address)") }
            entry = server.pointee.next
        }
        return servers
    }

    private func close() {
        timer?.cancel()
        timer = nil
        guard let channel, let sink else { return }
        self.channel = nil
        self.sink = nil
        sink.takeUnretainedValue().query = nil
        for watch in watches.values { watch.cancel() }
        watches = [:]
        // ares_destroy calls what is still asked for, with ARES_EDESTRUCTION, and nothing after it: the sink can go then.
        ares_destroy(channel)
        sink.release()
    }

    // MARK: What c-ares tells

    fileprivate func watch(_ socket: CInt, _ interest: Interest) {
        if let watch = watches[socket] {
            guard interest.isEmpty else { return watch.interest = interest }
            watch.cancel()
            watches[socket] = nil
        } else if !interest.isEmpty {
            do {
                watches[socket] = try loop.watch(socket, interest) { [weak self] ready in self?.process(socket, ready) }
            } catch {
                fail("\(error)")
            }
        }
    }

    fileprivate func finished(_ answer: Answer) {
        guard let done else { return }
        self.done = nil
        // Not from inside of c-ares, whose channel goes here.
        loop.timer(after: .zero) { [self] in
            close()
            done(answer)
        }
    }

    private func fail(_ reason: String) { finished(.failure(NameQueryError(host: host, reason: reason))) }

    fileprivate func failed(_ code: CInt) { fail(Self.text(code)) }

    private func process(_ socket: CInt, _ ready: Readiness) {
        guard let channel else { return }
        let canRead = !ready.isDisjoint(with: [.read, .hangup, .error])
        // ARES_SOCKET_BAD
        ares_process_fd(channel, canRead ? socket : -1, ready.contains(.write) ? socket : -1)
        schedule()
    }

    private func schedule() {
        timer?.cancel()
        timer = nil
        guard let channel, done != nil else { return }
        var left = timeval()
        guard ares_timeout(channel, nil, &left) != nil else { return }
        timer = loop.timer(after: .microseconds(left.tv_sec * 1_000_000 + Int(left.tv_usec))) { [weak self] in self?.process(-1, []) }
    }

    private static func text(_ code: CInt) -> String { String(cString: ares_strerror(code)) }
}

/// What c-ares holds on to: its calls may come until `ares_destroy` has returned.
private final class Sink {
    weak var query: NameQuery?
    let device: String?

    init(_ query: NameQuery, device: String?) {
        self.query = query
        self.device = device
    }

    static func of(_ context: UnsafeMutableRawPointer?) -> Sink? { context.map { Unmanaged<Sink>.fromOpaque($0).takeUnretainedValue() } }
}

private func stateChanged(_ context: UnsafeMutableRawPointer?, _ socket: ares_socket_t, _ reads: CInt, _ writes: CInt) {
    var interest: Interest = []
    if reads != 0 { interest.insert(.read) }
    if writes != 0 { interest.insert(.write) }
    Sink.of(context)?.query?.watch(socket, interest)
}

/// Before it connects. `ares_set_local_dev` would do the same and go on where it is refused, by the default route.
private func configure(_ socket: ares_socket_t, _ type: CInt, _ context: UnsafeMutableRawPointer?) -> CInt {
    guard let device = Sink.of(context)?.device else { return 0 }
    // Any negative number: c-ares asks the next server.
    do { try StreamSocket.bind(socket, toDevice: device) } catch { return -1 }
    return 0
}

private func answered(
    _ context: UnsafeMutableRawPointer?, _ status: CInt, _ timeouts: CInt, _ list: UnsafeMutablePointer<ares_addrinfo>?
) {
    defer { if let list { ares_freeaddrinfo(list) } }
    guard let query = Sink.of(context)?.query else { return }
    guard status == 0, let list else { return query.failed(status) }
    var addresses: [SocketAddress] = []
    var entry = list.pointee.nodes
    while let node = entry, addresses.count < 64 {
        let bytes = UnsafeRawBufferPointer(start: node.pointee.ai_addr, count: Int(node.pointee.ai_addrlen))
        if let address = SocketAddress(sockaddr: bytes), !addresses.contains(address) { addresses.append(address) }
        entry = node.pointee.ai_next
    }
    query.finished(.success(bounded(addresses, limit: NameQuery.limit)))
}

/// IPv6 first, as RFC 6724 would; many of one family do not crowd out the other.
private func bounded(_ addresses: [SocketAddress], limit: Int) -> [SocketAddress] {
    let (six, four) = (addresses.filter { $0.family == .ipv6 }, addresses.filter { $0.family == .ipv4 })
    let share = limit / 2
    return Array(six.prefix(max(share, limit - four.count)) + four.prefix(max(share, limit - six.count)))
}
