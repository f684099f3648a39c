import Crypto
import Glibc
import HTTP
import Posix
import Testing
import Web

/// A server with loops and certificates of its own, for one test.
final class TestServer: Sendable {
    let server: Server
    let loops: [Loop]
    /// Plain HTTP first, then TLS.
    let plain: SocketAddress
    let secure: SocketAddress
    let certificates: TestCertificates

    init(
        loops count: Int = 1, host: String = "127.0.0.1", limits: ServerLimits = ServerLimits(), proxies: [String] = [],
        passage: Passage? = nil, passageLost: (@Sendable (any Error) -> Void)? = nil,
        _ handler: @escaping @Sendable (Request) async -> Response
    ) async throws {
        certificates = try TestCertificates()
        loops = try (0..<count).map { try Loop(name: "web-\($0)") }
        let any = try #require(SocketAddress(host, port: 0))
        var configuration = ServerConfiguration(
            listeners: [Listener(any), Listener(any, certificate: certificates.files, passage: passage)],
            trustedProxies: try #require(TrustedProxies(proxies)))
        configuration.limits = limits
        configuration.passageLost = passageLost
        server = Server(configuration: configuration, loops: loops, handler: handler)
        let addresses = try await server.start()
        plain = addresses[0]
        secure = addresses[1]
    }

    func stop() async {
        await server.shutdown(grace: .zero)
        for loop in loops { loop.stop() }
    }

    var http: String { "http://\(plain)" }
    var https: String { "https://\(secure)" }

    func client(_ change: (inout ClientOptions) -> Void = { _ in }) -> Client {
        var options = ClientOptions()
        options.trust = .anchors([Array(certificates.authority.certificatePEM.utf8)])
        change(&options)
        return Client(loop: loops[0], options: options)
    }
}

/// Runs `body` on a thread of its own, where it may block.
func onThread(_ body: () async throws -> Void) async throws {
    let thread = try Loop(name: "test")
    defer { thread.stop() }
    try await withTaskExecutorPreference(thread) { try await body() }
}

/// Runs `body` against a server, on a thread of its own, and stops the server, whatever happens.
func withServer(
    loops: Int = 1, host: String = "127.0.0.1", limits: ServerLimits = ServerLimits(), proxies: [String] = [],
    passage: Passage? = nil, passageLost: (@Sendable (any Error) -> Void)? = nil,
    handler: @escaping @Sendable (Request) async -> Response, _ body: (TestServer) async throws -> Void
) async throws {
    let server = try await TestServer(
        loops: loops, host: host, limits: limits, proxies: proxies, passage: passage, passageLost: passageLost, handler)
    do { try await onThread { try await body(server) } } catch {
        await server.stop()
        throw error
    }
    await server.stop()
}

/// A CA and a leaf for localhost, as files in a folder of their own.
final class TestCertificates: Sendable {
    let folder: String
    let authority: CertificateAuthority
    let files: CertificateFiles

    init(names: [String] = ["localhost", "127.0.0.1", "::1"]) throws {
        folder = "/tmp/strata-web-\(getpid())-\(UInt32.random(in: 0..<UInt32.max))"
        guard mkdir(folder, 0o700) == 0 else { throw SystemError("mkdir", on: folder) }
        authority = try CertificateAuthority.make(name: "Test", at: unixMilliseconds() / 1000)
        files = CertificateFiles(chain: "\(folder)/chain.pem", key: "\(folder)/key.pem")
        try issue(names: names)
        try write(authority.certificatePEM, to: caFile)
    }

    var caFile: String { "\(folder)/ca.pem" }

    deinit {
        for file in [files.chain, files.key, caFile] { unlink(file) }
        rmdir(folder)
    }

    /// A new leaf in the same files.
    func issue(names: [String]) throws {
        let leaf = try authority.issue(for: names, at: unixMilliseconds() / 1000)
        try write(leaf.chainPEM, to: files.chain)
        try write(leaf.privateKeyPEM, to: files.key)
    }
}

func write(_ text: String, to path: String) throws { try write(Array(text.utf8), to: path) }

func write(_ bytes: [UInt8], to path: String) throws {
    guard let file = fopen(path, "w") else { throw SystemError("fopen", on: path) }
    fwrite(bytes, 1, bytes.count, file)
    fclose(file)
}

/// A peer without manners: a blocking socket that sends exactly what it is told. Every wait ends after five seconds.
final class RawPeer {
    let socket: CInt
    private(set) var isEnded = false

    init(_ address: SocketAddress, receiveBuffer: CInt? = nil) throws {
        socket = Glibc.socket(address.family == .ipv4 ? AF_INET : AF_INET6, CInt(SOCK_STREAM.rawValue), 0)
        if var size = receiveBuffer { setsockopt(socket, SOL_SOCKET, SO_RCVBUF, &size, 4) }
        RawPeer.bound(socket)
        guard address.withSockaddr({ connect(socket, $0, $1) }) == 0 else { throw SystemError("connect", on: "\(address)") }
    }

    /// The other end of somebody's connection, which is this peer's from now on.
    init(adopting socket: CInt) {
        self.socket = socket
        RawPeer.bound(socket)
    }

    static func bound(_ socket: CInt) {
        var wait = timeval(tv_sec: 5, tv_usec: 0)
        setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &wait, socklen_t(MemoryLayout<timeval>.size))
        setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &wait, socklen_t(MemoryLayout<timeval>.size))
    }

    deinit { close(socket) }

    func send(_ text: String) { send(Array(text.utf8)) }

    /// False when the peer takes no more.
    @discardableResult
    func send(_ bytes: [UInt8]) -> Bool {
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes { Glibc.send(socket, $0.baseAddress! + sent, bytes.count - sent, CInt(MSG_NOSIGNAL)) }
            if count <= 0 { return false }
            sent += count
        }
        return true
    }

    func endSending() { shutdown(socket, CInt(SHUT_WR)) }

    /// What is there now or comes next; empty at the end.
    func read(_ limit: Int = 65536) -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: limit)
        let count = recv(socket, &buffer, limit, 0)
        if count <= 0 { isEnded = count == 0 || errno == ECONNRESET }
        return Array(buffer.prefix(max(0, count)))
    }

    /// Up to the end of the connection.
    func readAll() -> String {
        var all: [UInt8] = []
        while true {
            let part = read()
            if part.isEmpty { break }
            all += part
        }
        return String(decoding: all, as: UTF8.self)
    }

    private var rest: [UInt8] = []

    func read(count: Int) -> [UInt8] {
        while rest.count < count {
            let part = read()
            if part.isEmpty { break }
            rest += part
        }
        defer { rest.removeFirst(min(count, rest.count)) }
        return Array(rest.prefix(count))
    }

    /// Up to and with `mark`.
    func read(to mark: String) -> String {
        let wanted = Array(mark.utf8)
        while true {
            if rest.count >= wanted.count {
                for start in 0...(rest.count - wanted.count) where Array(rest[start..<(start + wanted.count)]) == wanted {
                    return String(decoding: read(count: start + wanted.count), as: UTF8.self)
                }
            }
            let part = read()
            if part.isEmpty { return String(decoding: read(count: rest.count), as: UTF8.self) }
            rest += part
        }
    }

    /// A response with its head and its body by Content-Length.
    func response() -> (head: String, body: String) {
        let head = read(to: "\r\n\r\n")
        let length =
            head.lowercased().split(separator: "\r\n").first { $0.hasPrefix("content-length:") }
            .flatMap { Int($0.dropFirst(15).filter(\.isNumber)) } ?? 0
        return (head, String(decoding: read(count: length), as: UTF8.self))
    }
}

/// Runs a program and returns what it wrote.
func run(_ program: String, _ arguments: [String], on loop: Loop) async throws -> (output: [UInt8], status: Posix.ExitStatus) {
    let path = "/tmp/strata-web-out-\(getpid())-\(UInt32.random(in: 0..<UInt32.max))"
    defer { unlink(path) }
    let file = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0o600)
    defer { close(file) }
    let child = try ChildProcess.start(program, arguments, output: .descriptor(file))
    let status = await child.exit(on: loop)
    var info = stat()
    fstat(file, &info)
    var output = [UInt8](repeating: 0, count: Int(info.st_size))
    pread(file, &output, output.count, 0)
    return (output, status)
}
