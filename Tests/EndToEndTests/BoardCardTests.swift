import Foundation
import Support
import Testing
import Units
import Wire

/// Cards that somebody has prepared, and boards that start with them: over real processes, with the power going at any moment.
@Suite(.serialized, .unlessStolen)
struct BoardCardTests {
    /// A board: what starts it knows, and its boot partition.
    private struct Board {
        let desk: FrontDesk
        let name: String
        var folder: TemporaryFolder { desk.stage.folder }
        var boot: String { folder["\(name).boot"] }
        var state: String { folder["\(name).state"] }
        private var configuration: String { folder["\(name).conf"] }

        init(at desk: FrontDesk, _ name: String) throws {
            self.desk = desk
            self.name = name
            for part in ["boot", "state", "run", "root"] { _ = try desk.stage.folder.makeFolder("\(name).\(part)") }
            try desk.stage.folder.write(
                "[folders]\nruntime = \"\(folder["\(name).run"])\"\nstate = \"\(state)\"\n[links]\nallow = [\"lo\"]\n", to: "\(name).conf")
        }

        /// What `strata-agent-provision.service` starts.
        func prepare() throws -> RunningProgram {
            try desk.stage.start(
                "strata-agent", ["prepare", "--config", configuration, "--boot", boot, "--root", folder["\(name).root"]])
        }

        /// What `strata-agent.service` starts.
        func start() throws -> RunningProgram { try desk.stage.start("strata-agent", ["--config", configuration]) }

        func status() async throws -> ToolAnswer {
            try await runTool(Places.program("strata-agent"), ["status", "--config", configuration], mayFail: true)
        }

        /// Every file of the board's that holds this text.
        func files(with text: String) throws -> [String] {
            try ["boot", "state", "run", "root"].flatMap { part -> [String] in
                let path = folder["\(name).\(part)"]
                let names = try #require(FileManager.default.enumerator(atPath: path)).compactMap { $0 as? String }
                return names.filter { FileManager.default.contents(atPath: "\(path)/\($0)")?.range(of: Data(text.utf8)) != nil }
            }
        }
    }

    @Test(
        "a card enrolls its board with nothing else, whenever the power goes; a copy is shut out by a new key, and the board changes its owner",
        .row("PRV-01", "PRV-02"))
    func card() async throws {
        try await atFrontDesk { desk in
            let (shell, board) = (try await signedIn(desk), try Board(at: desk, "van"))
            let toml = try desk.stage.folder.write("[video]\nwidth = 640\n", to: "small.toml")
            // Nobody is at the first of the server's addresses.
            let origins = ["--origin", "https://127.0.0.1:1", "--origin", desk.installation.origin]
            try await shell(["board", "--directory", board.boot, "--name", "Van 1", "--configuration", toml] + origins)
            let token = try self.token(in: "\(board.boot)/strata-board.toml")
            try await shell.refused(["board", "--directory", board.boot] + origins, "already, with a token of its own")

            for milliseconds in stride(from: 0, through: 60, by: 6) {
                try await kill(try board.prepare(), after: .milliseconds(milliseconds))
                #expect(try !board.files(with: token).isEmpty, "after \(milliseconds) ms nobody has the token")
            }
            #expect(try await board.prepare().end(within: .seconds(10)) == 0)
            #expect(try board.files(with: token) == ["enrollment.toml"])

            try await desk.installation.program("control").stop()
            let lonely = try board.start()
            try await lonely.line(containing: "not enrolled yet", within: .seconds(20))
            try await eventually(within: .seconds(10), "its screen says so") {
                let answer = try await board.status()
                return answer.status == 1 && answer.text.contains(": enrolling,")
            }
            try await lonely.kill9()
            try await desk.installation.startControl()
            for milliseconds in [40, 80, 120, 180, 260, 400, 600] { try await kill(try board.start(), after: .milliseconds(milliseconds)) }
            let agent = try board.start()
            try await agent.line(containing: "connected to control", within: .seconds(20))
            let sender = try await eventually(within: .seconds(10), "it is online once, with its name and its configuration") {
                () -> SenderView? in
                let list: ListView<SenderView> = try await shell(["sender", "list"])
                #expect(list.items.count == 1)
                return list.items.first { $0.online && $0.name == "Van 1" && $0.configuration.applied == 1 }
            }
            #expect(try board.files(with: token).isEmpty)
            try await eventually(within: .seconds(10), "its screen says that all is well") { try await board.status().status == 0 }

            try await copied(desk, shell, board, agent, sender.id)
            try await moved(desk, shell, board, sender.id)
        }
    }

    /// The card is copied; a new key, on the board's own card, makes the copy worthless.
    private func copied(_ desk: FrontDesk, _ shell: Shell, _ board: Board, _ agent: RunningProgram, _ id: DeviceID) async throws {
        let copy = try Board(at: desk, "copy")
        for name in ["device.key", "identity.json"] {
            try FileManager.default.copyItem(atPath: "\(board.state)/\(name)", toPath: "\(copy.state)/\(name)")
        }
        let early = try copy.start()
        try await early.line(containing: "this identity is connected from elsewhere", within: .seconds(20))
        let flagged: SenderView = try await shell(["sender", "show", id.text])
        #expect(flagged.flaggedAt != nil)
        try await eventually(within: .seconds(10), "the copy's screen says why") {
            try await copy.status().text.contains("connected from elsewhere")
        }
        try await agent.kill9()
        try await early.kill9()

        try await shell(["sender", "renew", id.text, "--directory", board.boot, "--origin", desk.installation.origin])
        #expect(try await board.prepare().end(within: .seconds(10)) == 0)
        let renewed = try board.start()
        try await renewed.line(containing: "connected to control", within: .seconds(20))
        let late = try copy.start()
        try await late.line(containing: "wrong signature", within: .seconds(20))
        let view: SenderView = try await shell(["sender", "show", id.text])
        #expect(view.online && view.flaggedAt == nil && view.name == "Van 1")
        try await late.stop()
        try await renewed.stop()
    }

    /// Another organisation's token is put on the card, and this one gives the board up.
    private func moved(_ desk: FrontDesk, _ shell: Shell, _ board: Board, _ id: DeviceID) async throws {
        let other = try await desk.stranger()
        let token = try desk.stage.folder.write(try await desk.token(of: other, name: "theirs") + "\n", to: "theirs.token")
        let words = ["sender", "transfer", id.text, "--token-file", token, "--directory", board.boot]
        try await shell(words + ["--origin", desk.installation.origin])
        #expect(try await board.prepare().end(within: .seconds(10)) == 0)
        let agent = try board.start()
        try await agent.line(containing: "connected to control", within: .seconds(20))
        let theirs = try await other.get("/senders").items()
        #expect(theirs.count == 1 && theirs[0]["name"] as? String == "Van 1" && theirs[0]["id"] as? String != id.text)
        // It took nothing with it.
        let configuration = try #require(theirs[0]["configuration"] as? [String: Any])
        #expect(configuration["applied"] as? Int == 0)
        let left: ListView<SenderView> = try await shell(["sender", "list"])
        #expect(left.items.isEmpty)
        try await agent.stop()
    }

    @Test(
        "under systemd a card's file is taken by its unit, and the agent enrolls as its own user", .row("PRV-01", "SND-14"),
        .enabled(if: Machine.isAllowed, "systemd and cgroups are not allowed here"))
    func boot() async throws {
        try await atFrontDesk { desk in
            let shell = try await signedIn(desk)
            let card = try desk.stage.folder.makeFolder("card")
            try await shell(["board", "--directory", card, "--name", "Van 2", "--origin", desk.installation.origin])
            // In this machine's network, where control is.
            let machine = try Machine(
                "card", on: desk.stage, units: ["strata-agent"], configuration: ["strata-agent": "[links]\nallow = [\"lo\"]\n"],
                inside: ["nsenter", "--net=/proc/self/ns/net"])
            do {
                try await boot(machine, card, shell)
            } catch {
                print((try? await machine.run("tail", "-50", "/run/units.log", mayFail: true).text) ?? "")
                try await machine.cut()
                throw error
            }
            try await machine.cut()
        }
    }

    private func boot(_ machine: Machine, _ card: String, _ shell: Shell) async throws {
        // Before its process 1 is systemd there is nobody to ask. Without an identity the agent is started again and again.
        try await eventually(within: .seconds(15), "systemd has started the agent once") {
            (Int(try await machine.property("NRestarts", of: "strata-agent")) ?? 0) > 0
        }
        let unit = Places.root.appendingPathComponent("systemd/strata-agent-provision.service").path
        try await machine.run("cp", unit, "/run/units/")
        try await machine.run("cp", "\(card)/strata-board.toml", "/etc/strata/")
        try await machine.run("systemctl", "daemon-reload")
        try await machine.run("systemctl", "start", "strata-agent-provision.service")
        #expect(try await machine.property("Result", of: "strata-agent-provision") == "success")
        let left = try await machine.run("sh", "-c", "ls /etc/strata | grep strata-board").text
        #expect(left == "strata-board-result.txt\n")
        try await eventually(within: .seconds(20), "the board is online") {
            let list: ListView<SenderView> = try await shell(["sender", "list"])
            return list.items.first?.online == true && list.items.first?.name == "Van 2"
        }
        let files = try await machine.run("sh", "-c", "stat -c '%U %a %n' /var/lib/strata/*.key /var/lib/strata/*.json").text
        #expect(files.hasPrefix("strata-agent 600 /var/lib/strata/device.key\nstrata-agent 600 /var/lib/strata/identity.json\n"))
        #expect(try await machine.run("sh", "-c", "ls /var/lib/strata | grep -c enrollment || true").text == "0\n")
        let user = "setpriv --reuid strata-agent --regid strata-agent --clear-groups"
        let words = "\(user) strata-agent status --config /etc/strata/strata-agent.conf"
        try await eventually(within: .seconds(15), "its console says that the server is reached") {
            try await machine.run("sh", "-c", words, mayFail: true).text.contains(": reached")
        }
    }

    @Test("a list of boards becomes a folder for each and a sheet whose codes are read by a camera; again it makes nothing", .row("PRV-01"))
    func sheet() async throws {
        try await atFrontDesk { desk in
            let (shell, folder) = (try await signedIn(desk), desk.stage.folder)
            try folder.write("[video]\nwidth = 640\n", to: "small.toml")
            let list = try folder.write("name;configuration\nVan <1>;small.toml\nVan 2;\n", to: "boards.csv")
            let words = [
                "tokens", "--csv", list, "--directory", folder["boards"], "--sheet", folder["sheet.html"], "--expires", "3600", "--origin",
                desk.installation.origin,
            ]
            try await shell(words)
            let files = ["001-van-1", "002-van-2"].map { folder["boards/\($0)/strata-board.toml"] }
            let tokens = try files.map { try self.token(in: $0) }
            let made: ListView<TokenView> = try await shell(["token", "list"])
            #expect(Set(made.items.map(\.name)) == ["Van <1>", "Van 2"])
            let page = try String(contentsOfFile: folder["sheet.html"], encoding: .utf8)
            #expect(page.contains("<h2>Van &lt;1&gt;</h2>") && page.contains("Demonstration"))
            let pictures = try page.matches(of: #/<path d="([^"]+)"/#).enumerated().map { number, match in
                try self.picture(String(match.output.1), to: folder["\(number).pgm"])
            }
            #expect(try await QRReader.read(pictures) == tokens)

            try await shell(words)
            let again: ListView<TokenView> = try await shell(["token", "list"])
            #expect(again.items.count == 2)
            #expect(try files.map { try self.token(in: $0) } == tokens)
            let withdrawn = try #require(made.items.first)
            #expect(try await shell(["token", "withdraw", withdrawn.id.text]).isEmpty)
            let wrong = try folder.write("name\na,b\n", to: "wrong.csv")
            let refused = ["tokens", "--csv", wrong, "--directory", folder["boards"]]
            try await shell.refused(refused + Array(words.suffix(2)), "line 2: 2 fields")
            try await shell.refused(["tokens", "--csv", list, "--directory", folder["boards"]], "--origin is missing")
        }
    }

    // MARK: Parts

    private func signedIn(_ desk: FrontDesk) async throws -> Shell {
        let shell = Shell(session: desk.stage.folder["shell.json"])
        let _: UserView = try await shell([
            "login", "--server", desk.server, "--email", "owner@example.org", "--password-file", desk.stage.folder["password"],
        ])
        return shell
    }

    private func token(in file: String) throws -> String {
        let text = try String(contentsOfFile: file, encoding: .utf8)
        return String(try #require(text.firstMatch(of: #/token = "([^"]+)"/#)).output.1)
    }

    private func kill(_ program: RunningProgram, after delay: Duration) async throws {
        try await Task.sleep(for: delay)
        try await program.kill9()
    }

    /// A code's path, as a sheet has it, drawn as a grey picture of eight dots a module.
    private func picture(_ path: String, to file: String) throws -> String {
        let runs = path.matches(of: #/M(\d+) (\d+)h(\d+)/#).compactMap { match -> (x: Int, y: Int, length: Int)? in
            guard let x = Int(match.output.1), let y = Int(match.output.2), let length = Int(match.output.3) else { return nil }
            return (x, y, length)
        }
        let side = (try #require(runs.map { $0.x + $0.length }.max()) + 4) * 8
        var dots = [UInt8](repeating: 255, count: side * side)
        for run in runs {
            for row in run.y * 8..<run.y * 8 + 8 {
                for column in run.x * 8..<(run.x + run.length) * 8 { dots[row * side + column] = 0 }
            }
        }
        try (Data("P5\n\(side) \(side)\n255\n".utf8) + Data(dots)).write(to: URL(fileURLWithPath: file))
        return file
    }
}
