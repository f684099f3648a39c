import HTTP
import Posix
import Testing
import Web

/// The cases of the Autobahn test suite, by its numbers, as bytes against an echoing server.
@Suite("WebSocket conformance", .timeLimit(.minutes(1)))
struct ConformanceTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let name: String
        let sent: [UInt8]
        /// Messages and pongs that must come back, in order: (opcode, payload).
        var echoes: [(UInt8, [UInt8])] = []
        /// With which the server closes; nil where it must stay open (a ping is answered then).
        var closes: Int?
        /// Each byte sent on its own.
        var dribbled = false

        var testDescription: String { name }
    }

    private static func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }
    private static func fill(_ count: Int, _ byte: UInt8 = 0x2a) -> [UInt8] { [UInt8](repeating: byte, count: count) }
    private static let f = RawFrames.self

    /// 1.1, 1.2: text and binary of every length class.
    static let sizes: [Case] = [0, 125, 126, 127, 128, 65535, 65536].flatMap { size in
        [
            Case(name: "1.1 text of \(size)", sent: f.frame(1, fill(size)), echoes: [(1, fill(size))]),
            Case(name: "1.2 binary of \(size)", sent: f.frame(2, fill(size, 0xfe)), echoes: [(2, fill(size, 0xfe))]),
        ]
    }

    /// 2: pings and pongs.
    static let pings: [Case] = [
        Case(name: "2.1 ping without payload", sent: f.frame(9), echoes: [(10, [])]),
        Case(name: "2.2 ping with text", sent: f.frame(9, bytes("Hello")), echoes: [(10, bytes("Hello"))]),
        Case(name: "2.3 ping with binary", sent: f.frame(9, [0, 0xff, 0xfe]), echoes: [(10, [0, 0xff, 0xfe])]),
        Case(name: "2.4 ping of 125", sent: f.frame(9, fill(125)), echoes: [(10, fill(125))]),
        Case(name: "2.5 ping of 126", sent: f.frame(9, fill(126)), closes: 1002),
        Case(name: "2.6 ping of 125 byte by byte", sent: f.frame(9, fill(125)), echoes: [(10, fill(125))], dribbled: true),
        Case(name: "2.7 unsolicited pong", sent: f.frame(10)),
        Case(name: "2.8 unsolicited pong with payload", sent: f.frame(10, bytes("x"))),
        Case(
            name: "2.9 pong, then ping", sent: f.frame(10, bytes("x")) + f.frame(9, bytes("y")), echoes: [(10, bytes("y"))]),
        Case(
            name: "2.10 ten pings", sent: (0..<10).flatMap { f.frame(9, [UInt8($0)]) },
            echoes: (0..<10).map { (10, [UInt8($0)]) }),
        Case(
            name: "2.11 ten pings byte by byte", sent: (0..<10).flatMap { f.frame(9, [UInt8($0)]) },
            echoes: (0..<10).map { (10, [UInt8($0)]) }, dribbled: true),
    ]

    /// 3: reserved bits.
    static let reserved: [Case] = (1...7).flatMap { rsv in
        [
            Case(
                name: "3.\(rsv) reserved bits \(rsv) on text", sent: f.text("ok") + f.frame(1, bytes("x"), rsv: UInt8(rsv)),
                echoes: [(1, bytes("ok"))], closes: 1002),
            Case(name: "3.\(rsv) reserved bits \(rsv) on ping", sent: f.frame(9, rsv: UInt8(rsv)), closes: 1002),
        ]
    }

    /// 4: opcodes that mean nothing.
    static let opcodes: [Case] = [3, 4, 5, 6, 7, 11, 12, 13, 14, 15].flatMap { opcode in
        [
            Case(name: "4 opcode \(opcode)", sent: f.frame(UInt8(opcode)), closes: 1002),
            Case(
                name: "4 opcode \(opcode) with payload behind text", sent: f.text("ok") + f.frame(UInt8(opcode), bytes("x")),
                echoes: [(1, bytes("ok"))], closes: 1002),
        ]
    }

    /// 5: fragments.
    static let fragments: [Case] = [
        Case(name: "5.1 ping in two fragments", sent: f.frame(9, bytes("a"), fin: false) + f.frame(0, bytes("b")), closes: 1002),
        Case(name: "5.2 pong in two fragments", sent: f.frame(10, bytes("a"), fin: false) + f.frame(0, bytes("b")), closes: 1002),
        Case(name: "5.3 text in two fragments", sent: f.text("ab", fin: false) + f.frame(0, bytes("cd")), echoes: [(1, bytes("abcd"))]),
        Case(
            name: "5.5 text in two fragments byte by byte", sent: f.text("ab", fin: false) + f.frame(0, bytes("cd")),
            echoes: [(1, bytes("abcd"))], dribbled: true),
        Case(
            name: "5.6 a ping between fragments", sent: f.text("ab", fin: false) + f.frame(9, bytes("p")) + f.frame(0, bytes("cd")),
            echoes: [(10, bytes("p")), (1, bytes("abcd"))]),
        Case(
            name: "5.8 a ping between fragments byte by byte",
            sent: f.text("ab", fin: false) + f.frame(9, bytes("p")) + f.frame(0, bytes("cd")),
            echoes: [(10, bytes("p")), (1, bytes("abcd"))], dribbled: true),
        Case(name: "5.9 a continuation of nothing", sent: f.frame(0, bytes("x")) + f.text("y"), closes: 1002),
        Case(name: "5.10 a continuation of nothing that goes on", sent: f.frame(0, bytes("x"), fin: false), closes: 1002),
        Case(
            name: "5.15 a continuation after the end", sent: f.text("ab", fin: false) + f.frame(0, bytes("cd")) + f.frame(0, bytes("x")),
            echoes: [(1, bytes("abcd"))], closes: 1002),
        Case(name: "5.18 text within text", sent: f.text("ab", fin: false) + f.text("cd"), closes: 1002),
        Case(
            name: "5.19 five fragments with pings between",
            sent: f.text("1", fin: false) + f.frame(0, bytes("2"), fin: false) + f.frame(9, bytes("p")) + f.frame(0, bytes("3"), fin: false)
                + f.frame(0, bytes("4"), fin: false) + f.frame(9, bytes("q")) + f.frame(0, bytes("5")),
            echoes: [(10, bytes("p")), (10, bytes("q")), (1, bytes("12345"))]),
        Case(name: "6.1 empty fragments", sent: f.text("", fin: false) + f.frame(0, fin: false) + f.frame(0), echoes: [(1, [])]),
        Case(
            name: "6.1.3 empty first and last fragment", sent: f.text("", fin: false) + f.frame(0, bytes("mid"), fin: false) + f.frame(0),
            echoes: [(1, bytes("mid"))]),
    ]

    /// 6: UTF-8.
    private static let valid: [(String, [UInt8])] = [
        ("6.2 text", bytes("Hello-µ@ßöäüàá-UTF-8!!")), ("6.5 Greek", [0xce, 0xba, 0xe1, 0xbd, 0xb9, 0xcf, 0x83, 0xce, 0xbc, 0xce, 0xb5]),
        ("6.7 first of 1 byte", [0x00]), ("6.7 first of 2 bytes", [0xc2, 0x80]), ("6.7 first of 3 bytes", [0xe0, 0xa0, 0x80]),
        ("6.7 first of 4 bytes", [0xf0, 0x90, 0x80, 0x80]), ("6.9 last of 1 byte", [0x7f]), ("6.9 last of 2 bytes", [0xdf, 0xbf]),
        ("6.9 last of 3 bytes", [0xef, 0xbf, 0xbf]), ("6.9 last of 4 bytes", [0xf4, 0x8f, 0xbf, 0xbf]),
        ("6.11 below the surrogates", [0xed, 0x9f, 0xbf]), ("6.11 above the surrogates", [0xee, 0x80, 0x80]),
        ("6.11 replacement", [0xef, 0xbf, 0xbd]), ("6.22 non-character U+FFFE", [0xef, 0xbf, 0xbe]),
    ]
    private static let invalid: [(String, [UInt8])] = [
        ("6.3 surrogate within", bytes("a") + [0xed, 0xa0, 0x80] + bytes("edited")), ("6.6 cut in 2", [0xce]),
        ("6.6 cut in 3", [0xe1, 0xbd]),
        ("6.8 first of 5 bytes", [0xf8, 0x88, 0x80, 0x80, 0x80]), ("6.8 first of 6 bytes", [0xfc, 0x84, 0x80, 0x80, 0x80, 0x80]),
        ("6.10 above U+10FFFF", [0xf4, 0x90, 0x80, 0x80]), ("6.12 lone continuation 80", [0x80]), ("6.12 lone continuation BF", [0xbf]),
        ("6.13 lone lead", [0xc3, 0x20]), ("6.14 cut in 4", [0xf0, 0x9f, 0x98]), ("6.15 many cut", [0xc0, 0xe0, 0x80, 0xf0, 0x80, 0x80]),
        ("6.16 FE", [0xfe]), ("6.16 FF", [0xff]), ("6.17 overlong slash of 2", [0xc0, 0xaf]),
        ("6.17 overlong slash of 3", [0xe0, 0x80, 0xaf]),
        ("6.18 overlong maximum of 2", [0xc1, 0xbf]), ("6.18 overlong maximum of 3", [0xe0, 0x9f, 0xbf]),
        ("6.19 overlong NUL", [0xc0, 0x80]),
        ("6.20 surrogate D800", [0xed, 0xa0, 0x80]), ("6.20 surrogate DFFF", [0xed, 0xbf, 0xbf]),
        ("6.21 pair of surrogates", [0xed, 0xa0, 0x80, 0xed, 0xb0, 0x80]),
    ]
    static let utf8: [Case] =
        valid.flatMap { name, text in
            [
                Case(name: name, sent: f.frame(1, text), echoes: [(1, text)]),
                // A character may be cut between fragments.
                Case(
                    name: "\(name), a fragment for each byte",
                    sent: f.frame(1, [], fin: false) + text.flatMap { f.frame(0, [$0], fin: false) } + f.frame(0), echoes: [(1, text)]),
            ]
        }
        + invalid.flatMap { name, text in
            [
                Case(name: name, sent: f.frame(1, text), closes: 1007),
                Case(
                    name: "\(name), a fragment for each byte",
                    sent: f.frame(1, [], fin: false) + text.flatMap { f.frame(0, [$0], fin: false) } + f.frame(0), closes: 1007),
                Case(name: "\(name) as binary", sent: f.frame(2, text), echoes: [(2, text)]),
            ]
        }

    /// 7: closing.
    static let closing: [Case] =
        [
            Case(name: "7.1.1 text, then close", sent: f.text("x") + f.close(1000), echoes: [(1, bytes("x"))], closes: 1000),
            Case(name: "7.1.2 close twice", sent: f.close(1000) + f.close(1000), closes: 1000),
            Case(name: "7.1.3 ping after close", sent: f.close(1000) + f.frame(9), closes: 1000),
            Case(name: "7.1.4 text after close", sent: f.close(1000) + f.text("x"), closes: 1000),
            Case(
                name: "7.1.5 close within a message", sent: f.text("a", fin: false) + f.close(1000) + f.frame(0, bytes("b")), closes: 1000),
            Case(name: "7.3.1 close without payload", sent: f.close(nil), closes: 0),
            Case(name: "7.3.2 close of one byte", sent: f.frame(8, [3]), closes: 1002),
            Case(name: "7.3.4 close with reason", sent: f.close(1000, bytes("bye")), closes: 1000),
            Case(name: "7.3.5 close with a reason of 123", sent: f.close(1000, fill(123)), closes: 1000),
            Case(name: "7.3.6 close of 126", sent: f.close(1000, fill(124)), closes: 1002),
            Case(name: "7.5.1 close with invalid UTF-8", sent: f.close(1000, [0xce, 0xba, 0xed, 0xa0, 0x80]), closes: 1007),
        ]
        + [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999].map { (code: Int) in
            Case(name: "7.7 close code \(code)", sent: f.close(code), closes: code)
        }
        + [0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535].map { (code: Int) in
            Case(name: "7.9 close code \(code)", sent: f.close(code), closes: 1002)
        }

    /// Not of that suite: masks and lengths.
    static let framing: [Case] = [
        Case(name: "no mask", sent: f.frame(1, bytes("x"), mask: nil), closes: 1002),
        Case(name: "a mask of zeros", sent: f.frame(1, bytes("x"), mask: [0, 0, 0, 0]), echoes: [(1, bytes("x"))]),
        Case(name: "a length of 16 bits that fits 7", sent: [0x81, 0xfe, 0, 1, 0, 0, 0, 0, 0x61], closes: 1002),
        Case(name: "a length of 64 bits that fits 16", sent: [0x81, 0xff, 0, 0, 0, 0, 0, 0, 0, 200, 0, 0, 0, 0] + fill(200), closes: 1002),
        Case(name: "a length of 2^63", sent: [0x82, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5], closes: 1002),
        Case(name: "a frame that announces 1 GB", sent: [0x82, 0xff, 0, 0, 0, 0, 0x40, 0, 0, 0, 1, 2, 3, 4, 5], closes: 1009),
        Case(
            name: "fragments over the limit", sent: f.frame(2, fill(200_000), fin: false) + f.frame(0, fill(200_000)), closes: 1009),
        Case(
            name: "a hundred messages in one piece", sent: (0..<100).flatMap { f.frame(2, [UInt8($0)]) },
            echoes: (0..<100).map { (2, [UInt8($0)]) }),
        Case(
            name: "messages byte by byte", sent: (0..<5).flatMap { f.frame(2, fill($0 * 60)) }, echoes: (0..<5).map { (2, fill($0 * 60)) },
            dribbled: true),
    ]

    static let all = sizes + pings + reserved + opcodes + fragments + utf8 + closing + framing

    @Test("each case comes to the end that RFC 6455 says")
    func cases() async throws {
        try await withServer { _ in
            .upgrade { socket in
                while let message = try? await socket.receive() {
                    switch message {
                    case .text(let text): try? await socket.send(text)
                    case .binary(let bytes): try? await socket.send(bytes)
                    }
                }
            }
        } _: { server in
            for one in Self.all { try check(one, server.plain) }
        }
    }

    private func check(_ one: Case, _ address: SocketAddress) throws {
        let peer = try RawPeer(address)
        peer.send(RawFrames.handshake)
        #expect(peer.read(to: "\r\n\r\n").hasPrefix("HTTP/1.1 101 "), "\(one.name)")
        if one.dribbled {
            for byte in one.sent { peer.send([byte]) }
        } else {
            peer.send(one.sent)
        }
        for echo in one.echoes {
            #expect(
                RawFrames.read(peer) == RawFrames.Frame(opcode: echo.0, fin: true, rsv: 0, payload: echo.1), "\(one.name): its echo")
        }
        guard let code = one.closes else {
            peer.send(RawFrames.frame(9, [0x7a]))
            #expect(RawFrames.read(peer) == RawFrames.Frame(opcode: 10, fin: true, rsv: 0, payload: [0x7a]), "\(one.name): still open")
            return
        }
        let close = RawFrames.read(peer)
        #expect(close?.opcode == 8 && (close?.closeCode ?? 0) == code, "\(one.name): close code \(close?.closeCode ?? -1), not \(code)")
        #expect(RawFrames.read(peer) == nil && peer.isEnded, "\(one.name): the connection ends")
    }
}
