import Foundation
import Posix
import Support
import Testing
import Units
import Web
import Wire

/// `strata-provision` as somebody uses it from a shell: each command's answer, and each one's refusal.
@Suite(.serialized, .unlessStolen)
struct ProvisionTests {
    @Test("a session over TLS is kept between commands and renewed by itself, until it is left")
    func session() async throws {
        try await atFrontDesk { desk in
            let folder = desk.stage.folder
            let shell = Shell(session: folder["shell.json"])
            let authority = ["--server", desk.installation.origin, "--ca", folder["authority/ca.pem"]]
            let credentials = ["--email", "owner@example.org", "--password-file", folder["password"]]
            // A server of another authority is told nothing.
            try await shell(["authority", "issue", "--host", "127.0.0.1", "--directory", folder["foreign"]])
            try await shell.refused(
                ["login", "--server", desk.installation.origin, "--ca", folder["foreign/ca.pem"]] + credentials, "not trusted")
            #expect(!FileManager.default.fileExists(atPath: shell.session))
            try await shell.refused(["whoami"] + authority, "not signed in: use 'strata-provision login' first")
            let wrong = try folder.write("not the password", to: "wrong")
            try await shell.refused(["login", "--email", "owner@example.org", "--password-file", wrong] + authority, "belong together")

            let entered: UserView = try await shell(["login"] + authority + credentials)
            #expect(entered.email == "owner@example.org" && entered.role == .owner)
            #expect(try FileManager.default.attributesOfItem(atPath: shell.session)[.posixPermissions] as? Int == 0o600)
            // Neither the server nor its authority is named again; each command uses a refresh token up and keeps the next.
            var tokens: Set<String> = []
            for _ in 0..<3 {
                tokens.insert(try String(contentsOfFile: shell.session, encoding: .utf8))
                let user: UserView = try await shell(["whoami"])
                #expect(user == entered)
            }
            #expect(tokens.count == 3)
            // Where its successor could not be kept, as the name of the file beside it is longer than names may be, none is asked for.
            let long = folder[String(repeating: "s", count: 250)]
            try FileManager.default.copyItem(atPath: shell.session, toPath: long)
            try await Shell(session: long).refused(["whoami"], "nothing was asked of the server: \(long): open: File name too long (36)")
            let still: UserView = try await shell(["whoami"])
            #expect(still == entered)
            let left = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasPrefix("shell.json") }
            #expect(left == ["shell.json"])
            let used = try String(contentsOfFile: shell.session, encoding: .utf8)
            #expect(try await shell(["logout"]).isEmpty)
            try await shell.refused(["whoami"], "not signed in")
            // What it had left is worth nothing, to whoever kept a copy.
            try used.write(toFile: shell.session, atomically: true, encoding: .utf8)
            try await shell.refused(["whoami"], "")
            try await shell.refused(["logout", "now"], "'now' is one word too many")
        }
    }

    @Test("an operator makes an organisation, lists tokens and hosts, and somebody else's list is empty", .row("ORG-01"))
    func operating() async throws {
        try await atFrontDesk { desk in
            let folder = desk.stage.folder
            let shell = try await signedIn(desk)
            let made: TokenView = try await shell(
                ["token", "create", "--name", "truck", "--expires", "3600", "--output", folder["truck.token"]])
            let token = try String(contentsOfFile: folder["truck.token"], encoding: .utf8)
            #expect(made.token == nil && token.hasSuffix("\n") && token.count > 40)
            #expect(try FileManager.default.attributesOfItem(atPath: folder["truck.token"])[.posixPermissions] as? Int == 0o600)
            let tokens: ListView<TokenView> = try await shell(["token", "list"])
            #expect(tokens.items.map(\.id) == [made.id] && tokens.items.map(\.name) == ["truck"] && tokens.items[0].token == nil)
            try await shell.refused(["token", "create", "--kind", "car"], "--kind is 'car'; expected sender or pool")
            try await apiTokens(desk, shell)

            let host = try await desk.host("host")
            try await eventually(within: .seconds(5), "the host is listed") {
                let hosts: ListView<HostView> = try await shell(["pool", "list"])
                return hosts.items.count == 1 && hosts.items[0].online && hosts.items[0].hasRoom && hosts.items[0].capacity == 1
            }
            let operating = ["--operator-token-file", folder["control/operator-token"]]
            let all: ListView<HostView> = try await shell(["pool", "list"] + operating)
            #expect(all.items.map(\.capacity) == [1])
            let drained: HostView = try await shell(["pool", "drain", all.items[0].id.text])
            #expect(drained.draining && !drained.hasRoom && drained.online)
            let back: HostView = try await shell(["pool", "resume", all.items[0].id.text] + operating)
            #expect(!back.draining && back.hasRoom)
            try await shell.refused(["pool", "drain", "x"], "")
            await host.close()

            let password = try folder.write("another long password\n", to: "other.password")
            let organization = [
                "organization", "create", "--name", "Other", "--slug", "other", "--email", "owner@other.org", "--owner", "Other",
                "--password-file", password,
            ]
            let other: OrganizationView = try await shell(organization + operating)
            #expect(other.name == "Other" && other.slug == "other")
            try await shell.refused(organization + operating, "this slug is in use already")
            try await shell.refused(organization + ["--operator-token-file", password], "")
            let stranger = Shell(session: folder["stranger.json"])
            let entered: UserView = try await stranger([
                "login", "--server", desk.server, "--email", "owner@other.org", "--password-file", password, "--organization", "other",
            ])
            #expect(entered.organization.id == other.id && entered.role == .owner)
            let foreign: ListView<TokenView> = try await stranger(["token", "list"])
            #expect(foreign.items.isEmpty)
        }
    }

    /// One is made, and another shell, in which nobody has signed in, shows it until it is ended.
    private func apiTokens(_ desk: FrontDesk, _ shell: Shell) async throws {
        let folder = desk.stage.folder
        let make = ["api-token", "create", "--name", "ci", "--password-file", folder["password"]]
        let made: APITokenView = try await shell(make + ["--scope", "senders", "--scope", "read", "--output", folder["api.token"]])
        #expect(made.token == nil && made.scopes == [.read, .senders])
        #expect(try FileManager.default.attributesOfItem(atPath: folder["api.token"])[.posixPermissions] as? Int == 0o600)
        let program = Shell(session: folder["nobody.json"]), shown = ["--server", desk.server, "--api-token-file", folder["api.token"]]
        let user: UserView = try await program(["whoami"] + shown)
        #expect(user.role == .owner)
        let pool: ListView<HostView> = try await program(["pool", "list"] + shown)
        #expect(pool.items.isEmpty)
        let token: TokenView = try await program(["token", "create", "--name", "van"] + shown)
        #expect(token.token != nil)
        let key = try folder.write("a-long-secret\n", to: "key")
        try await program.refused(
            ["destination", "add", "--name", "d", "--preset", "twitch", "--secret-file", key] + shown,
            "does not allow destinations.manage, which takes the scope destinations")
        try await program.refused(make + ["--scope", "read"] + shown, "takes somebody who has signed in")
        let text = try String(contentsOfFile: folder["api.token"], encoding: .utf8).trimmingCharacters(in: .newlines)
        let words = [try Places.program("strata-provision"), "--session", program.session, "--server", desk.server, "whoami"]
        let answer = try await runTool("STRATA_API_TOKEN=\(text)", words)
        #expect(try JSONDecoder().decode(UserView.self, from: Data(answer.text.utf8)) == user)
        #expect(!FileManager.default.fileExists(atPath: program.session))
        try await shell.refused(make + ["--scope", "all"], "--scope is 'all'; expected one of read, broadcasts")
        let ended = try await shell(["api-token", "end", "\(made.id)"])
        #expect(ended.isEmpty)
        try await program.refused(["whoami"] + shown, "the API token opens nothing")
        let left: ListView<APITokenView> = try await shell(["api-token", "list"])
        #expect(left.items.isEmpty)
    }

    @Test("destinations are added by preset and by address, listed without their keys, and removed", .row("CTL-09"))
    func destinations() async throws {
        try await atFrontDesk { desk in
            let shell = try await signedIn(desk)
            let key = try desk.stage.folder.write("a-long-secret\n", to: "key")
            // As YouTube's and Twitch's own pages for RTMPS encoders give them.
            for (preset, url) in [
                ("youtube", "rtmps://a.rtmps.youtube.com:443/live2"), ("twitch", "rtmps://ingest.global-contribute.live-video.net:443/app"),
            ] {
                let made: DestinationView = try await shell(
                    ["destination", "add", "--name", preset, "--preset", preset, "--secret-file", key])
                #expect(made.url == url && made.name == preset && made.maskedSecret != nil)
            }
            let listener: DestinationView = try await shell([
                "destination", "add", "--name", "viewers", "--url", "srt://0.0.0.0:9000", "--srt-mode", "listener", "--latency", "300",
                "--stream-id", "show", "--secret-file", key,
            ])
            #expect(listener.srtMode == .listener && listener.latencyMs == 300 && listener.streamID == "show")
            let caller: DestinationView = try await shell([
                "destination", "add", "--name", "studio", "--url", "srt://192.0.2.1:9000", "--srt-mode", "caller",
            ])
            #expect(caller.srtMode == .caller && caller.latencyMs == 120 && caller.maskedSecret == nil)
            let add = ["destination", "add", "--name", "x"]
            try await shell.refused(add + ["--url", "srt://0.0.0.0:9001", "--srt-mode", "listener"], "passphrase")
            try await shell.refused(add + ["--preset", "vimeo", "--secret-file", key], "--preset is 'vimeo'; expected youtube or twitch")
            try await shell.refused(add + ["--preset", "twitch"], "a stream key")
            try await shell.refused(add + ["--url", "srt://192.0.2.1:9000", "--srt-mode", "both"], "expected caller or listener")
            try await shell.refused(add + ["--url", "srt://192.0.2.1:9000", "--latency", "9"], "a whole number from 20 to 8000")

            let all = try await shell(["destination", "list"])
            #expect(!all.contains("a-long-secret"))
            let list: ListView<DestinationView> = try await shell(["destination", "list"])
            #expect(Set(list.items.map(\.name)) == ["youtube", "twitch", "viewers", "studio"])
            #expect(try await shell(["destination", "remove", "\(caller.id)"]).isEmpty)
            try await shell.refused(["destination", "remove", "\(caller.id)"], "no such destination")
            let left: ListView<DestinationView> = try await shell(["destination", "list"])
            #expect(left.items.count == 3)
        }
    }

    @Test("a sender is shown, renamed, configured and revoked", .row("PRV-02"))
    func senders() async throws {
        try await atFrontDesk { desk in
            let shell = try await signedIn(desk)
            let board = try await desk.board(of: try await desk.owner())
            let id = "\(board.identity.device)"
            let socket = try await board.connect()
            let reading = Task { try await RawBoard.answerAll(socket, .done) }
            defer { reading.cancel() }
            try await eventually(within: .seconds(5), "it is shown online with its link") {
                let view: SenderView = try await shell(["sender", "show", id])
                return view.online && view.inventory.links.map(\.name) == ["eth0"]
            }
            let renamed: SenderView = try await shell(["sender", "rename", id, "--name", "Truck 2"])
            #expect(renamed.name == "Truck 2")
            let list: ListView<SenderView> = try await shell(["sender", "list"])
            #expect(list.items.map(\.name) == ["Truck 2"])

            let good = try desk.stage.folder.write("[video]\ninput = \"test\"\n", to: "good.toml")
            let bad = try desk.stage.folder.write("[video]\ninput = \"/dev/video0\"\n", to: "bad.toml")
            let answer: ConfigurationAnswer = try await shell(["sender", "configure", id, "--file", good])
            #expect(answer.version == 1 && answer.result == .applied)
            try await shell.refused(["sender", "configure", id, "--file", bad], "video.input: expected ")
            try await shell.refused(["sender", "configure", id, "--file", desk.stage.folder["none"]], "cannot be read")
            try await shell.refused(["sender", "show", "x"], "expected an id of 26 characters")

            #expect(try await shell(["sender", "revoke", id]).isEmpty)
            #expect(try await socket.ending(within: .seconds(1)) == WireLimits.revokedCloseCode)
            try await shell.refused(["sender", "show", id], "revoked")
            try await shell.refused(["sender", "explode", id], "'sender explode' is not a command; see --help")
        }
    }

    @Test("a broadcast is listed, changed, and given another output, which is tried again and taken away", .row("CTL-04", "CTL-09"))
    func broadcast() async throws {
        try await inStudio { studio in
            let shell = Shell(session: studio.stage.folder["session.json"])
            let sender = try await studio.sender()
            let platform = try await studio.destination("platform", url: studio.nginx.url(), secret: "show")
            let keyed = try await studio.destination("keyed", url: studio.nginx.url("keyed"), secret: "sesame")
            let id = try await studio.installation.startBroadcast(
                sender: "\(sender.id)", destinations: ["\(platform)"], ["--bitrate", "1000000", "--input", "test", "--audio", "test"])
            let list: ListView<BroadcastView> = try await shell(["broadcast", "list"])
            #expect(list.items.map { "\($0.id)" } == [id] && list.items[0].state == "live" && list.items[0].input.audio == "test")
            let changed: BroadcastView = try await shell(["broadcast", "change", id, "--bitrate", "600000", "--input", "test"])
            #expect(changed.encoder.bitrate == .kilobits(600) && changed.input.video == "test")
            try await shell.refused(["broadcast", "change", id, "--input", "file:none.mp4"], "file:none.mp4")
            try await shell.refused(["broadcast", "change", id, "--bitrate", "5"], "a whole number from 100000 to 50000000")

            let added: BroadcastView = try await shell(["broadcast", "output", "add", id, "--destination", "\(keyed)"])
            let output = "\(try #require(added.outputs.first { $0.destination == keyed }).id)"
            let one = try #require(BroadcastID(id))
            try await studio.wait(keyed, of: one, is: .retrying)
            try studio.nginx.setOpen(true)
            let retried: BroadcastView = try await shell(["broadcast", "output", "retry", id, output])
            #expect(retried.outputs.count == 2)
            try await studio.wait(keyed, of: one, is: .connected, within: .seconds(4))
            let removed: BroadcastView = try await shell(["broadcast", "output", "remove", id, output])
            #expect(removed.outputs.map(\.destination) == [platform])
            try await shell.refused(["broadcast", "output", "retry", id, output], "no such output")
            try await shell.refused(["broadcast", "show", "\(sender.id)"], "no such broadcast")
            let stopped: BroadcastView = try await shell(["broadcast", "stop", id, "--wait"])
            #expect(stopped.state == "ended" && stopped.reason == "stopped")
            try await studio.expectNothingLeft(sender.id)
        }
    }

    private func signedIn(_ desk: FrontDesk) async throws -> Shell {
        let shell = Shell(session: desk.stage.folder["shell.json"])
        let _: UserView = try await shell([
            "login", "--server", desk.server, "--email", "owner@example.org", "--password-file", desk.stage.folder["password"],
        ])
        return shell
    }
}

/// Runs `strata-provision` with a session file of its own.
struct Shell {
    let session: String

    /// What a command writes that ends well.
    @discardableResult
    func callAsFunction(_ words: [String]) async throws -> String {
        let answer = try await runTool(Places.program("strata-provision"), ["--session", session] + words)
        #expect(answer.errors.isEmpty, "\(answer.errors)")
        return answer.text
    }

    func callAsFunction<Answer: Decodable>(_ words: [String], as type: Answer.Type = Answer.self) async throws -> Answer {
        try JSONDecoder().decode(type, from: Data(try await callAsFunction(words).utf8))
    }

    /// A command that ends with 1, writes nothing to its output, and says why.
    func refused(_ words: [String], _ reason: String) async throws {
        let answer = try await runTool(Places.program("strata-provision"), ["--session", session] + words, mayFail: true)
        #expect(answer.status == 1 && answer.output.isEmpty, "\(words): \(answer.text)")
        #expect(
            answer.errors.hasPrefix("strata-provision: ") && (reason.isEmpty || answer.errors.contains(reason)),
            "\(words): \(answer.errors)")
    }
}
