import Crypto
import Releases
import Testing

@Suite("What control asks of the server's updater")
struct ServerOrderTests {
    private let id = [UInt8](0..<16)

    @Test("each of the three sentences is read as it was written")
    func written() throws {
        let version = try #require(ReleaseVersion("1.5.0-rc.1"))
        let moves: [(ServerOrder.Move, String)] = [
            (.install(version, release: [UInt8](repeating: 10, count: 32)), "install 1.5.0-rc.1 \(String(repeating: "0a", count: 32))"),
            (.back(to: version), "back 1.5.0-rc.1"),
            (.restore(copy: "strata.db.before-update.1800000000000"), "restore strata.db.before-update.1800000000000"),
        ]
        for (move, sentence) in moves {
            let order = try #require(ServerOrder(id: id, move: move))
            let text = "strata server order 1\nid 000102030405060708090a0b0c0d0e0f\n\(sentence)\n"
            #expect(String(decoding: order.bytes, as: UTF8.self) == text)
            #expect(try ServerOrder(bytes: Array(text.utf8)) == order)
        }
    }

    @Test(
        "anything else is refused: other forms, other words, and names that are a path or an option",
        arguments: [
            "", "strata server order 2\nid 00\nback 1.0.0\n", "strata server order 1\nback 1.0.0\n",
            "strata server order 1\nid 000102030405060708090A0B0C0D0E0F\nback 1.0.0\n",
            "strata server order 1\nid 000102030405060708090a0b0c0d0e0f\nback 1.0\n",
            "strata server order 1\nid 000102030405060708090a0b0c0d0e0f\nback 1.0.0\nback 1.0.0\n",
            "strata server order 1\nid 000102030405060708090a0b0c0d0e0f\ninstall 1.0.0 00\n",
            "strata server order 1\nid 000102030405060708090a0b0c0d0e0f\nrestore ../../etc/passwd\n",
            "strata server order 1\nid 000102030405060708090a0b0c0d0e0f\nrestore strata.db.before-../x\n",
            "strata server order 1\nid 000102030405060708090a0b0c0d0e0f\nrestore --backup\n",
            "strata server order 1\nid 000102030405060708090a0b0c0d0e0f\nrestore strata.db.before-\n",
        ])
    func refused(_ text: String) {
        #expect(throws: ReleaseFault.self) { try ServerOrder(bytes: Array(text.utf8)) }
    }
}
