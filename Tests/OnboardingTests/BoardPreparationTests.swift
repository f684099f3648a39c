import Boards
import Crypto
import Foundation
import Identity
import Posix
import Testing
import Units

@testable import Onboarding

/// A board of folders: its boot partition, its root, and the agent's state folder.
private final class BoardFolders {
    let path: String
    var boot: String { path + "/boot" }
    var root: String { path + "/root" }
    var state: String { path + "/state" }
    var file: String { "\(boot)/\(BoardFile.name)" }

    init(hasNetworkManager: Bool = true) throws {
        path = FileManager.default.temporaryDirectory.path + "/strata-board-\(UUID().uuidString)"
        for folder in [boot, root] { try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true) }
        guard hasNetworkManager else { return }
        try FileManager.default.createDirectory(atPath: root + NetworkProfile.folder, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func preparation(before: @escaping (BoardPreparation.Step) throws -> Void = { _ in }) -> BoardPreparation {
        BoardPreparation(folders: [path + "/none", boot], state: state, root: root, before: before)
    }

    /// Every file with its content, but what is told to a person.
    func snapshot() throws -> [String: String] {
        var found: [String: String] = [:]
        let names = try #require(FileManager.default.enumerator(atPath: path)).compactMap { $0 as? String }
        for name in names where !name.hasSuffix(BoardPreparation.resultName) {
            guard let bytes = FileManager.default.contents(atPath: "\(path)/\(name)") else { continue }
            found[name] = String(decoding: bytes, as: UTF8.self)
        }
        return found
    }
}

@Suite struct BoardPreparationTests {
    private static func boardFile() throws -> BoardFile {
        let network = BoardNetwork(
            wireless: .init(network: "Field", password: Secret("a pass\\word")),
            wired: .init(address: "192.0.2.10/24", gateway: "192.0.2.1", nameServers: ["192.0.2.1"]),
            modems: .init(apn: "internet", password: Secret("p\"$`\\"), pin: Secret("1234")))
        let id = EnrollmentTokenID("01ARZ3NDEKTSV4RRFFQ69G5FAV")!
        return try BoardFile(
            servers: [try ServerOrigin("https://live.example.org")], token: EnrollmentToken.make(id: id, authority: .system),
            boardName: "Van 1", proxy: "http://proxy.example.org:3128", writtenAt: 1_790_000_000, network: network)
    }

    private struct PowerCut: Error {}

    @Test("a board's file is taken: its network is set up, the agent has its token, and the boot partition has it no more")
    func taken() throws {
        let board = try BoardFolders()
        let file = try Self.boardFile()
        try KeyFile.write(file.text.revealed, to: board.file)
        #expect(try board.preparation().run() == .taken(server: "https://live.example.org", notes: []))
        let left = try FileManager.default.contentsOfDirectory(atPath: board.boot)
        #expect(left == [BoardPreparation.resultName])
        let pending = try #require(try PendingEnrollment.read(state: board.state))
        #expect(pending.token == file.token && pending.boardName == "Van 1" && pending.network.isEmpty)
        for (name, text) in try board.snapshot() { #expect(text.contains(file.token.text.revealed) == (name == "state/enrollment.toml")) }
        let connections = board.root + NetworkProfile.folder
        let wireless = try String(contentsOfFile: connections + "/strata-wireless.nmconnection", encoding: .utf8)
        #expect(wireless.contains("\nssid=70;105;101;108;100;\n") && wireless.contains("\npsk=a\\spass\\\\word\n"))
        let wired = try String(contentsOfFile: connections + "/strata-wired.nmconnection", encoding: .utf8)
        #expect(wired.contains("\naddress1=192.0.2.10/24,192.0.2.1\ndns=192.0.2.1;\n"))
        let variables = try String(contentsOfFile: board.root + NetworkProfile.variablesFile, encoding: .utf8)
        #expect(
            variables.split(separator: "\n").dropFirst() == [
                "STRATA_SERVER_PROXY=\"http://proxy.example.org:3128\"", "STRATA_MODEMS_APN=\"internet\"",
                "STRATA_MODEMS_PASSWORD=\"p\\\"\\$\\`\\\\\"", "STRATA_MODEMS_PIN=\"1234\"",
            ])
        // A second start finds nothing.
        #expect(try board.preparation().run() == .nothing)
        try PendingEnrollment.erase(state: board.state)
        #expect(try PendingEnrollment.read(state: board.state) == nil)
    }

    @Test("the power may go before any step: the next start ends where an undisturbed one does", arguments: BoardPreparation.Step.allCases)
    func cuts(step: BoardPreparation.Step) throws {
        let file = try Self.boardFile()
        let (whole, cut) = (try BoardFolders(), try BoardFolders())
        for board in [whole, cut] { try KeyFile.write(file.text.revealed, to: board.file) }
        _ = try whole.preparation().run()
        #expect(throws: PowerCut.self) { try cut.preparation { if $0 == step { throw PowerCut() } }.run() }
        // Wherever it is, the token is somewhere.
        #expect(try cut.snapshot().values.contains { $0.contains(file.token.text.revealed) })
        _ = try cut.preparation().run()
        #expect(try cut.snapshot() == whole.snapshot())
        #expect(try PendingEnrollment.read(state: cut.state)?.token == file.token)
    }

    @Test("what a loss of power left of a token that was being written goes with the next start")
    func drafts() throws {
        let board = try BoardFolders()
        try KeyFile.write(try Self.boardFile().text.revealed, to: board.file)
        try FileManager.default.createDirectory(atPath: board.state, withIntermediateDirectories: false)
        let (draft, other) = (PendingEnrollment.path(in: board.state) + ".0123abcd", board.state + "/device.key.0123abcd")
        for path in [draft, other] { try KeyFile.write("strata1.", to: path) }
        _ = try board.preparation().run()
        #expect(!FileManager.default.fileExists(atPath: draft) && FileManager.default.fileExists(atPath: other))
    }

    @Test("a file that is none stays, and says on the card what is wrong with it")
    func refused() throws {
        let board = try BoardFolders()
        try "[enrollment]\nservers = [\"https://a.example\"]\ntoken = \"strata1.almost\"\n".write(
            toFile: board.file, atomically: false, encoding: .utf8)
        guard case .refused(let reason) = try board.preparation().run() else {
            Issue.record("it was taken")
            return
        }
        #expect(reason.contains("enrollment.token") && !reason.contains("almost"))
        let told = try String(contentsOfFile: "\(board.boot)/\(BoardPreparation.resultName)", encoding: .utf8)
        #expect(told.contains("enrollment.token") && FileManager.default.fileExists(atPath: board.file))
        #expect(try PendingEnrollment.read(state: board.state) == nil)
    }

    @Test("a board without NetworkManager enrolls by what it has, and says what was not set up")
    func otherNetwork() throws {
        let board = try BoardFolders(hasNetworkManager: false)
        try KeyFile.write(try Self.boardFile().text.revealed, to: board.file)
        guard case .taken(_, let notes) = try board.preparation().run() else {
            Issue.record("it was not taken")
            return
        }
        #expect(notes.count == 1 && notes[0].contains("no NetworkManager"))
        #expect(try PendingEnrollment.read(state: board.state) != nil)
    }

    @Test("a token that others may read, or that is none, is told and not used")
    func pending() throws {
        let board = try BoardFolders()
        try KeyFile.write(try Self.boardFile().text.revealed, to: board.file)
        _ = try board.preparation().run()
        let path = PendingEnrollment.path(in: board.state)
        #expect(chmod(path, 0o644) == 0)
        #expect(throws: IdentityError.self) { try PendingEnrollment.read(state: board.state) }
        try KeyFile.write("[enrollment]\n", to: path)
        #expect(throws: IdentityError.self) { try PendingEnrollment.read(state: board.state) }
    }
}
