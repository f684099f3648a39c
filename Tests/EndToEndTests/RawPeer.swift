import BondWire
import Foundation
import ICE
import Posix
import RTP
import SRTP
import STUN
import Support
import TLS
import WebRTC

/// A peer of a room that does on the wire what a test tells it to: checks, a handshake, packets of media, and all of them wrongly.
final class RawPeer: @unchecked Sendable {
    // Sendable: a test uses it from one task at a time.

    /// Where it may send from; checks, the handshake and media go out by the first unless it is said otherwise.
    let sockets: [UDPSocket]
    /// Bytes by socket.
    private(set) var received: [Int]
    private(set) var sent: [Int]
    /// Whether it answers what the worker asks over a socket.
    var answers: [Bool]
    /// Where the worker listens.
    let worker: SocketAddress
    let place: String
    private(set) var ended: String?
    /// The numbers of its checks' error answers.
    private(set) var errors: [Int] = []
    private(set) var successes = 0
    /// Of pictures that came, in the order in which they came.
    private(set) var pictures: [Int] = []
    /// Of the first of them.
    private(set) var source: UInt32 = 0
    /// How often somebody has asked for a key frame.
    private(set) var pictureLosses = 0

    let visitor: Visitor
    private let ufrag: String
    private let ours: IntegrityCode
    private let theirs: (ufrag: String, code: IntegrityCode)
    private let transport: MediaTransport
    private let batch = DatagramBatch()
    private var lastCheck: Microseconds = 0

    private static let password = "0123456789abcdefghijkl"
    private static let mark: [UInt8] = Array("picture ".utf8)
    /// The start of a VP8 key frame of 320x240, behind a descriptor that says that a picture begins here. Source: RFC 7741; RFC 6386 section 9.1.
    private static let key: [UInt8] = [0x10, 0x10, 0x02, 0x00, 0x9d, 0x01, 0x2a, 0x40, 0x01, 0xf0, 0x00]

    /// Comes in by an offer of its own.
    /// - Parameters:
    ///   - promised: a fingerprint in place of its certificate's.
    init(
        _ direction: String, in room: String, of owner: Visitor, at desk: FrontDesk, promised: String? = nil, sockets count: Int = 1
    ) async throws {
        let (use, door) = direction == "sendonly" ? ("publish", "whip") : ("play", "whep")
        let context = try DTLSContext(at: Int64(Date().timeIntervalSince1970))
        let digest = context.fingerprint.bytes.map { String(format: "%02X", $0) }.joined(separator: ":")
        let ufrag = "raw\(Int.random(in: 1000...9999))"
        let offer = RoomDoors.offer(direction, ufrag: ufrag) { line in
            line.hasPrefix("a=fingerprint") ? "a=fingerprint:sha-256 \(promised ?? digest)" : line
        }
        visitor = try await RoomDoors.program(use, in: room, of: owner, at: desk)
        let reply = try await visitor.send("POST", "/\(door)/\(room)", offer, type: RoomDoors.sdp)
        guard reply.status == 201, let place = reply.headers["location"] else { throw SupportFailure("not let in: \(reply)") }
        let answer = String(decoding: reply.body, as: UTF8.self)
        guard let remote = answer.firstMatch(of: #/a=ice-ufrag:(\S+)/#)?.1, let password = answer.firstMatch(of: #/a=ice-pwd:(\S+)/#)?.1,
            let print = answer.firstMatch(of: #/a=fingerprint:(\S+ \S+)/#)?.1, let fingerprint = CertificateFingerprint(String(print)),
            let candidate = answer.firstMatch(of: #/a=candidate:\S+ 1 (?:udp|UDP) \d+ (\S+) (\d+) typ host/#),
            let port = Int(candidate.2), let worker = SocketAddress(String(candidate.1), port: port)
        else { throw SupportFailure("an answer without what is needed: \(answer)") }
        self.place = place
        self.worker = worker
        self.ufrag = ufrag
        ours = STUNCrypto.openSSL.makeCode(Array(Self.password.utf8))
        theirs = (String(remote), STUNCrypto.openSSL.makeCode(Array(password.utf8)))
        transport = try MediaTransport(context, .client, peer: [fingerprint], at: Self.now)
        sockets = try (0..<count).map { _ in try UDPSocket(binding: .loopback(port: 0)) }
        received = [Int](repeating: 0, count: count)
        sent = [Int](repeating: 0, count: count)
        answers = [Bool](repeating: true, count: count)
    }

    static var now: Microseconds { Instant.now.nanoseconds / 1000 }
    var isOpen: Bool { transport.isOpen }

    // MARK: What it sends

    func send(_ datagram: [UInt8], by socket: Int = 0) throws {
        sent[socket] += datagram.count
        try sockets[socket].send(datagram, to: worker)
    }

    enum Nomination { case nominating, asking }

    /// A check, as RFC 8445 section 7.1 wants it where nothing is put in place of its texts.
    func check(_ nomination: Nomination = .nominating, ufrag: String? = nil, code: IntegrityCode? = nil) -> [UInt8] {
        var writer = STUNWriter(.request, TransactionID(high: .random(in: 0 ... .max), low: .random(in: 0 ... .max)))
        writer.append(.username, Array("\(ufrag ?? theirs.ufrag):\(self.ufrag)".utf8))
        writer.append(.priority, 0x6e7f_1eff as UInt32)
        writer.append(.iceControlling, 0x0123_4567_89ab_cdef as UInt64)
        if nomination == .nominating { writer.append(.useCandidate) }
        return writer.finished(code ?? theirs.code)
    }

    /// Of another password than the worker's.
    static let foreign: @Sendable () -> IntegrityCode = { STUNCrypto.openSSL.makeCode(Array("another password of 24 c".utf8)) }

    /// A protected picture: one packet, a key frame, with its number in it and as much else as is asked for.
    func picture(_ number: Int, bytes: Int = 100) throws -> [UInt8] {
        // Version 2, the marker and the payload type of the offer; then number, time and source.
        var packet: [UInt8] = [0x80, 0x80 | 96]
        packet += Self.big(UInt32(number), 2)
        packet += Self.big(UInt32(number) &* 3000, 4)
        packet += Self.big(0x5241_5721, 4)
        packet += Self.key + Self.mark
        packet += Self.big(UInt32(number), 4)
        packet += [UInt8](repeating: 7, count: bytes)
        return try protect(packet) { sender, buffer, count in try sender.protect(buffer, count, .first) }
    }

    /// A protected question for a key frame of a source.
    func pictureLoss(of source: UInt32) throws -> [UInt8] {
        try protect(Self.pictureLoss(of: source)) { sender, buffer, count in try sender.protectControl(buffer, count) }
    }

    static func pictureLoss(of source: UInt32) -> [UInt8] {
        var writer = ControlWriter()
        _ = writer.append(.receiverReport(ReceiverReport(source: 1)))
        _ = writer.append(.pictureLoss(sender: 1, media: source))
        return writer.bytes
    }

    private func protect(
        _ packet: [UInt8], _ body: (SRTPSender, UnsafeMutableRawBufferPointer, Int) throws -> Int
    ) throws -> [UInt8] {
        guard let sender = transport.sender else { throw SupportFailure("there are no keys yet") }
        var bytes = packet + [UInt8](repeating: 0, count: 64)
        let count = try bytes.withUnsafeMutableBytes { try body(sender, $0, packet.count) }
        return Array(bytes.prefix(count))
    }

    private static func big(_ value: UInt32, _ count: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: value >> UInt32(8 * (count - 1 - $0))) }
    }

    // MARK: What it takes

    /// Takes what has come, and goes on with its handshake and its checks.
    func go() throws {
        for index in sockets.indices {
            while try sockets[index].receive(batch) > 0 {
                for place in 0..<batch.count { try take(Array(batch[place]), by: index) }
            }
        }
        let now = Self.now
        try handle(transport.advance(to: now))
        // As often as it takes to be let in, then as often as consent wants it.
        if now - lastCheck > (isOpen ? 2_000_000 : 200_000) {
            lastCheck = now
            try send(check(isOpen ? .asking : .nominating))
        }
    }

    private func take(_ datagram: [UInt8], by socket: Int) throws {
        received[socket] += datagram.count
        switch datagram.first ?? 255 {
        case 0...3: try takeCheck(datagram, by: socket)
        case 20...63: try handle(transport.take(datagram, at: Self.now))
        default: try takePacket(datagram)
        }
    }

    private func takeCheck(_ datagram: [UInt8], by socket: Int) throws {
        guard let message = STUNMessage(datagram.span) else { throw SupportFailure("the worker has sent no STUN") }
        switch message.kind {
        case .success:
            successes += 1
            try handle(transport.start(at: Self.now))
        case .failure: errors.append(message.errorCode ?? 0)
        case .request where answers[socket]:
            guard message.isAuthentic(datagram.span, ours), let seen = MappedAddress(worker.bytes, port: UInt16(worker.port)) else {
                throw SupportFailure("a question that is not the worker's")
            }
            var writer = STUNWriter(.success, message.transaction)
            writer.append(seen)
            try send(writer.finished(ours), by: socket)
        case .request, .indication: break
        }
    }

    private func takePacket(_ datagram: [UInt8]) throws {
        var bytes = datagram
        let isControl = (192...223).contains(datagram[1])
        let count = bytes.withUnsafeMutableBytes { buffer in
            isControl ? transport.openControl(buffer, datagram.count) : transport.openMedia(buffer, datagram.count)
        }
        guard let count else { throw SupportFailure("a packet of the worker's that cannot be opened") }
        let packet = Array(bytes.prefix(count))
        if isControl {
            for case .pictureLoss in try ControlReader.read(packet.span) { pictureLosses += 1 }
        } else if let found = packet.firstRange(of: Self.mark), found.upperBound + 4 <= packet.count {
            source = packet[8..<12].reduce(0) { $0 << 8 | UInt32($1) }
            pictures.append(packet[found.upperBound..<found.upperBound + 4].reduce(0) { $0 << 8 | Int($1) })
        }
    }

    private func handle(_ events: [MediaTransport.Event]) throws {
        for event in events {
            switch event {
            case .send(let datagram): try send(datagram)
            case .opened: break
            case .ended(let reason): ended = reason
            }
        }
    }
}
