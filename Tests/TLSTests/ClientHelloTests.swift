import Foundation
import TLS
import Testing

/// What is read of a connection before TLS begins.
@Suite("A ClientHello")
struct ClientHelloTests {
    /// Hellos of OpenSSL and such as were made by hand, which the fuzzer begins with.
    private func kept(_ name: String) throws -> [UInt8] {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        return Array(try Data(contentsOf: folder.appendingPathComponent("Fuzz/Corpus/clientHello/\(name)")))
    }

    @Test(
        "says whom it asks for and what it would speak, in however many records it comes",
        arguments: [
            ("openssl-turn", "turn.example.org", []), ("openssl-https", "live.example.org", ["h2", "http/1.1"]),
            ("openssl-address", nil, []), ("openssl-1.2", "turn.example.org", []),
            ("stun-turn-label", "turn.example.org", ["stun.turn"]), ("no-extensions", nil, []), ("empty-extensions", nil, []),
            ("grease", "turn.example.org", ["\u{0a}\u{0a}", "http/1.1"]), ("two-records", "turn.example.org", []),
            ("many-records", "turn.example.org", []), ("padded", "turn.example.org", []), ("something-behind", "a", []),
        ] as [(String, String?, [String])])
    func whole(_ name: String, server: String?, protocols: [String]) throws {
        let bytes = try kept(name)
        #expect(ClientHello.read(bytes) == .whole(ClientHello(serverName: server, protocols: protocols)))
    }

    @Test(
        "asks for nobody by what is no name, or a name of another kind",
        arguments: ["other-kind-of-name", "name-of-spaces", "long-name"])
    func nameless(_ name: String) throws {
        #expect(ClientHello.read(try kept(name)) == .whole(ClientHello(serverName: nil, protocols: [])))
    }

    @Test(
        "is none where it does not hold together, is longer than anybody's, or is something else",
        arguments: [
            "two-names", "names-twice", "empty-alpn", "alpn-without-name", "alpn-too-long", "extension-beyond", "session-of-33",
            "length-of-16M", "record-of-64k", "empty-record", "server-hello", "plain-http", "plain-stun", "sslv2", "dtls",
        ])
    func foreign(_ name: String) throws {
        #expect(ClientHello.read(try kept(name)) == .foreign)
    }

    @Test("which has not come to its end says how many bytes are missing at least, and is whole with the last of them")
    func parts() throws {
        for name in ["openssl-turn", "many-records", "padded"] {
            let bytes = try kept(name)
            var (end, looks) = (0, 0)
            while case .partial(let missing) = ClientHello.read(Array(bytes[..<end])) {
                try #require(missing > 0 && end + missing <= bytes.count, "\(name) at \(end)")
                end += missing
                looks += 1
            }
            #expect(end == bytes.count && looks <= 100, "\(name): \(end) of \(bytes.count)")
            #expect(ClientHello.read(Array(bytes.dropLast())) != ClientHello.read(bytes))
        }
    }
}
