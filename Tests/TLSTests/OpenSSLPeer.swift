import BondWire
import Crypto
import Foundation
import Glibc
import Testing

@testable import TLS

/// `openssl s_client` or `s_server` as the other end, over UDP on the loopback interface.
final class OpenSSLPeer {
    let fingerprint: CertificateFingerprint
    private let folder: URL
    private let process = Process()
    private let words = Pipe()
    private let socket: CInt
    private var peer = sockaddr_in()
    private(set) var events: [DTLSEvent] = []

    enum Identity {
        case certificate
        case anonymous
    }

    /// - Parameter port: where a server of theirs listens; nil for a client of theirs.
    private init(_ command: String, port: UInt16?, _ arguments: [String], _ contact: String, _ identity: Identity) throws {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("strata-dtls-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let own = try SelfSignedCertificate.make(name: "peer", from: today - 86_400 * 365, until: today + 86_400 * 365)
        try own.certificatePEM.write(to: folder.appendingPathComponent("certificate"), atomically: true, encoding: .utf8)
        try own.privateKeyPEM.write(to: folder.appendingPathComponent("key"), atomically: true, encoding: .utf8)
        fingerprint = try #require(CertificateFingerprint(.sha256, try Certificate(pem: own.certificatePEM).fingerprint))
        let (bound, name) = try Self.bind()
        socket = bound
        peer = Self.loopback(port ?? 0)
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments =
            ["openssl", command, contact, "127.0.0.1:\(port ?? name)", "-dtls1_2", "-keymatexport", "EXTRACTOR-dtls_srtp"]
            + (identity == .anonymous ? [] : ["-cert", folder.path + "/certificate", "-key", folder.path + "/key"]) + arguments
        process.standardInput = words
        try Data().write(to: folder.appendingPathComponent("said"))
        let said = try FileHandle(forWritingTo: folder.appendingPathComponent("said"))
        process.standardOutput = said
        process.standardError = said
        try process.run()
    }

    static func client(_ arguments: [String], _ identity: Identity = .certificate) throws -> OpenSSLPeer {
        try OpenSSLPeer("s_client", port: nil, arguments, "-connect", identity)
    }

    static func server(_ arguments: [String]) throws -> OpenSSLPeer {
        let (socket, port) = try bind()
        close(socket)
        let peer = try OpenSSLPeer("s_server", port: port, ["-Verify", "1"] + arguments, "-accept", .certificate)
        try peer.waitUntil("it listens") { peer.said.contains("ACCEPT") }
        return peer
    }

    deinit {
        // Nobody waits for its end: Foundation reaps it.
        if process.isRunning { kill(process.processIdentifier, SIGKILL) }
        close(socket)
        try? FileManager.default.removeItem(at: folder)
    }

    var said: String { (try? String(contentsOf: folder.appendingPathComponent("said"), encoding: .isoLatin1)) ?? "" }

    /// What it says it has exported, in hexadecimal digits.
    var keyingMaterial: String? {
        said.split(separator: "\n").first { $0.contains("Keying material: ") }?.split(separator: " ").last.map(String.init)
    }

    func say(_ text: String) throws { try words.fileHandleForWriting.write(contentsOf: Data(text.utf8)) }

    func handle(_ new: [DTLSEvent]) {
        for event in new {
            guard case .send(let datagram) = event else {
                events.append(event)
                continue
            }
            withUnsafePointer(to: &peer) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    _ = sendto(socket, datagram, datagram.count, 0, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            }
        }
    }

    /// Carries datagrams to the session until `isDone`.
    func run(_ session: DTLSSession, until isDone: () -> Bool) throws {
        try waitUntil("the session gets there") {
            if let deadline = session.deadline, deadline <= Self.now { handle(session.advance(to: Self.now)) }
            var wanted = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
            guard poll(&wanted, 1, 5) > 0 else { return isDone() }
            var buffer = [UInt8](repeating: 0, count: 65_536)
            var length = socklen_t(MemoryLayout<sockaddr_in>.size)
            let count = withUnsafeMutablePointer(to: &peer) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { recvfrom(socket, &buffer, buffer.count, 0, $0, &length) }
            }
            if count > 0 { handle(session.take(Array(buffer[..<count]), at: Self.now)) }
            return isDone()
        }
    }

    func waitUntil(_ what: String, _ isTrue: () throws -> Bool) throws {
        let end = Self.now + 20_000_000
        while try !isTrue() {
            try #require(Self.now < end, "\(what); openssl said: \(said)")
            usleep(2_000)
        }
    }

    static var now: Microseconds {
        var moment = timespec()
        clock_gettime(CLOCK_MONOTONIC, &moment)
        return Microseconds(moment.tv_sec) * 1_000_000 + Microseconds(moment.tv_nsec) / 1_000
    }

    private static func loopback(_ port: UInt16) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        return address
    }

    /// A socket on a port that the kernel chooses.
    private static func bind() throws -> (CInt, UInt16) {
        let socket = Glibc.socket(AF_INET, CInt(SOCK_DGRAM.rawValue), 0)
        var address = loopback(0)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let code = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                Glibc.bind(socket, pointer, length) == 0 && getsockname(socket, pointer, &length) == 0
            }
        }
        try #require(code, "a socket on the loopback interface")
        return (socket, UInt16(bigEndian: address.sin_port))
    }
}
