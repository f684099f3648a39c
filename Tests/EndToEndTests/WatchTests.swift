import Foundation
import Support
import Testing

/// Control as it is seen from another host, by `strata-control watch`.
@Suite(.serialized, .unlessStolen)
struct WatchTests {
    @Test(
        "a watch sends one mail after three failures in a row and one when control answers again, whatever happens between two looks",
        .row("DIA-21"))
    func outage() async throws {
        try await atFrontDesk { desk in
            let stage = desk.stage
            let port = try FreePorts.tcp()
            let configuration = try watch(desk, mailPort: port)
            func look(_ status: CInt = 0) async throws {
                let answer = try await runTool(Places.program("strata-control"), ["watch", "--config", configuration], mayFail: true)
                #expect(answer.status == status, "\(answer.errors)\(answer.text)")
            }
            let peer = try await MailPeer(on: stage, port: port)
            try await look()
            try await desk.installation.program("control").kill9()
            try await look()
            try await look()
            // One that comes back in time is nobody's business.
            try await desk.installation.startControl()
            try await look()
            try await desk.installation.program("control").stop()
            for _ in 0..<2 { try await look() }
            #expect(try peer.mails.isEmpty)
            // The server that takes mails is away as well: it is tried again, and the mail comes once.
            try await peer.end()
            try await look(1)
            let second = try await MailPeer(on: stage, port: port)
            for _ in 0..<3 { try await look() }
            let told = try await second.first
            #expect(told.to == ["operator@example.org"] && told.headers["Subject"] == "127.0.0.1 does not answer", "\(told)")
            #expect(told.text.contains("has not answered 4 times in a row") && told.text.contains("refused"), "\(told.text)")
            #expect(told.defects.isEmpty)
            // Somebody else answers in its place.
            let nginx = try await Nginx(on: stage)
            let elsewhere = try watch(desk, mailPort: port, server: "http://127.0.0.1:\(nginx.httpPort)", named: "elsewhere")
            let answer = try await runTool(Places.program("strata-control"), ["watch", "--config", elsewhere], mayFail: true)
            #expect(answer.text.contains("it answered 404") || answer.errors.contains("it answered 404"), "\(answer)")
            try await desk.installation.startControl()
            for _ in 0..<2 { try await look() }
            let mails = try await eventually(within: .seconds(10), "the second mail has come") {
                let mails = try second.mails
                return mails.count >= 2 ? mails : nil
            }
            #expect(mails.map { $0.headers["Subject"] } == ["127.0.0.1 does not answer", "127.0.0.1 answers again"])
            #expect(Set(mails.compactMap { $0.headers["Message-ID"] }).count == 2)
            // What is known is the watch's own business.
            let attributes = try FileManager.default.attributesOfItem(atPath: stage.folder["watch/outage.json"])
            #expect(attributes[.posixPermissions] as? Int == 0o600)
        }
    }

    @Test("its reference configuration is read without a fault, and what is missing is named", .row("DIA-21"))
    func reference() async throws {
        try await onStage { stage in
            let file = Places.root.appendingPathComponent("systemd/strata-watch.conf").path
            let state = try stage.folder.makeFolder("watch")
            let environment = ["STRATA_WATCH_STATE": state, "STRATA_WATCH_SERVER": "http://127.0.0.1:1"]
            let started = try stage.start("strata-control", ["watch", "--config", file], environment: environment)
            #expect(try await started.end(within: .seconds(10)) == 0, "\(started.tail)")
            #expect(started.lines.contains { $0.contains("it does not answer") }, "\(started.tail)")
            let empty = try stage.folder.write("[watch]\nserver = \"live.example.org\"\n", to: "empty.conf")
            let refused = try stage.start("strata-control", ["watch", "--config", empty])
            #expect(try await refused.end(within: .seconds(10)) == 78)
            for key in ["watch.server", "watch.to", "mail.server"] {
                #expect(refused.lines.contains { $0.contains("\"\(key)\"") }, "\(refused.tail)")
            }
        }
    }

    /// - Returns: the path of a configuration.
    private func watch(_ desk: FrontDesk, mailPort: Int, server: String? = nil, named name: String = "watch") throws -> String {
        try desk.stage.folder.write(
            """
            [watch]
            server = "\(server ?? desk.server)"
            to = ["operator@example.org"]
            state = "\(desk.stage.folder[name])"
            timeout_seconds = 5

            [mail]
            server = "127.0.0.1:\(mailPort)"
            security = "none"
            from = "strata@example.org"
            timeout_seconds = 5
            """, to: "\(name).conf")
    }
}
