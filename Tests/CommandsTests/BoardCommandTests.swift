import Boards
import Crypto
import Foundation
import Identity
import Testing
import Units

@testable import Commands

@Suite struct BoardCommandTests {
    private static func file(_ name: String) throws -> BoardFile {
        let id = EnrollmentTokenID("01ARZ3NDEKTSV4RRFFQ69G5FAV")!
        return try BoardFile(
            servers: [try ServerOrigin("https://live.example.org")], token: EnrollmentToken.make(id: id, authority: .system),
            boardName: name, writtenAt: 1_790_000_000)
    }

    @Test("user data of cloud-init holds the file as it is, and starts what takes it")
    func userData() throws {
        let file = try Self.file("Van: \"1\" # - {x}")
        let text = BoardPlace.userData(file).revealed
        #expect(text.hasPrefix("#cloud-config\n"))
        #expect(text.contains("\n  - [systemctl, start, strata-agent-provision.service]\n"))
        let content = try #require(text.range(of: "    content: |\n"))
        let lines = text[content.upperBound...].split(separator: "\n", omittingEmptySubsequences: false)
        #expect(lines.allSatisfy { $0.isEmpty || $0.hasPrefix("      ") })
        #expect(lines.map { String($0.dropFirst(6)) }.joined(separator: "\n") == file.text.revealed)
    }

    @Test("folders of a list are found by their number and name, on any file system")
    func folders() {
        #expect(Console.folderName("Van 7", 7) == "007-van-7")
        #expect(Console.folderName("Übertragungswagen / rot", 12) == "012-bertragungswagen-rot")
        #expect(Console.folderName("中継車", 1000) == "1000")
        #expect(Console.folderName(String(repeating: "a", count: 100), 1).count == 44)
    }

    @Test("what a board cannot use is told before a token is made, by the option's name")
    func options() throws {
        func options(_ words: [String], server: String = "https://live.example.org") throws -> BoardOptions {
            var arguments = try Arguments(words)
            let options = try BoardOptions(&arguments, server: server)
            try arguments.finish()
            return options
        }
        func fault(_ words: [String], server: String = "https://live.example.org") -> String {
            do {
                try options(words, server: server).check(name: "Van 1")
                return ""
            } catch {
                return "\(error)"
            }
        }
        #expect(try options([]).servers.map(\.text) == ["https://live.example.org"])
        let two = try options(["--origin", "https://a.example", "--origin", "https://b.example"], server: "http://127.0.0.1:8080")
        #expect(two.servers.map(\.text) == ["https://a.example", "https://b.example"])
        #expect(fault([], server: "http://127.0.0.1:8080").hasPrefix("--origin is missing"))
        #expect(fault(["--origin", "example.org"]).hasPrefix("--origin is 'example.org'"))
        #expect(fault(["--gateway", "192.0.2.1"]).hasPrefix("--address is missing"))
        #expect(fault(["--apn-user", "u"]).hasPrefix("--apn is missing"))
        #expect(fault(["--address", "192.0.2.10"]).hasPrefix("wired.address"))
        #expect(fault(["--wireless", String(repeating: "n", count: 33)]).hasPrefix("wireless.network"))
        #expect(fault(["--address", "192.0.2.10/24", "--name-server", "192.0.2.1", "--wireless", "Field", "--apn", "internet"]) == "")
    }

    @Test("a folder that has a board's file, or is none, is left alone")
    func places() throws {
        let folder = FileManager.default.temporaryDirectory.path + "/strata-place-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let place = BoardPlace.folder(folder)
        try place.check(BoardNetwork())
        try place.write(try Self.file("Van 1"))
        #expect(try BoardFile(String(contentsOfFile: "\(folder)/strata-board.toml", encoding: .utf8), source: "f").boardName == "Van 1")
        #expect(throws: Arguments.Fault.self) { try place.check(BoardNetwork()) }
        #expect(throws: Arguments.Fault.self) { try BoardPlace.folder(folder + "/none").check(BoardNetwork()) }
        let network = BoardNetwork(wireless: .init(network: "n", password: nil))
        #expect(throws: Arguments.Fault.self) { try BoardPlace.cloudInit(folder + "/user-data").check(network) }
    }
}
