import Foundation
import Support
import Testing
import Units
import Wire

/// Somebody who forgot a password, and somebody who would like to be them.
@Suite(.serialized, .unlessStolen)
struct ForgottenPasswordTests {
    @Test(
        "a link comes by mail, from the configured origin, works once and ends every session; nobody learns who has an account",
        .row("SEC-06"))
    func byMail() async throws {
        let port = try FreePorts.tcp()
        try await atFrontDesk({
            $0.mailPort = port
            $0.logLevel = "trace"
        }) { desk in
            let peer = try await MailPeer(on: desk.stage, port: port)
            let owner = try await desk.owner()
            #expect(try await owner.get("/setup").object()["sendsMail"] as? Bool == true)
            let (phone, id) = try await user(.host, of: owner, at: desk)
            let feed = try await phone.watch()
            // First nobody's address, then one that has an account.
            let answers = [try await ask(desk, "nobody@example.org"), try await ask(desk, "host@example.org")]
            #expect(answers[0] == answers[1] && answers[0].hasPrefix("HTTP/1.1 204"), "\(answers)")
            let mail = try await peer.first
            #expect(mail.to == ["host@example.org"] && !mail.text.contains("evil") && !mail.html.contains("evil"))
            let token = try token(in: mail, desk)

            for wrong in ["x", token + "A"] { #expect(try await choose(desk, wrong, "a brand new password").status == 410) }
            let weak = try await choose(desk, token, "short")
            #expect(weak.status == 422)
            #expect(try weak.fields == ["password"])
            #expect(try await phone.get("/auth/me").status == 200)
            #expect(try await choose(desk, token, "a brand new password").status == 204)
            #expect(try await feed.ending(within: .seconds(2)) == 1008)
            #expect(try await phone.get("/auth/me").status == 401)
            #expect(try await phone.refresh().status == 401)
            #expect(try await choose(desk, token, "yet another password").problem == "gone")
            #expect(try await desk.visitor().signIn("host@example.org", "a long password").status == 401)
            #expect(try await desk.visitor().signIn("host@example.org", "a brand new password").status == 200)
            try await eventually(within: .seconds(10), "its owner is told") {
                try peer.mails.contains { $0.headers["Subject"] == "Your password was changed" && $0.to == ["host@example.org"] }
            }

            // An admin has one sent, and does not see it.
            let sent = try await owner.post("/users/\(id)/password-reset")
            #expect(sent.status == 200 && String(decoding: sent.body, as: UTF8.self) == #"{"sent":true}"#)
            let actions = try await owner.get("/audit").items().compactMap { $0["action"] as? String }
            #expect(actions.filter { $0 == "user.password_reset_issued" }.count == 2 && actions.contains("user.password_reset"))
            // Three times an hour, whoever's the address is.
            for email in ["nobody@example.org", "host@example.org"] {
                for _ in 0..<2 { #expect(try await ask(desk, email).hasPrefix("HTTP/1.1 204")) }
                #expect(try await ask(desk, email).hasPrefix("HTTP/1.1 429"))
            }
            try expectUnseen(token, desk)
        }
    }

    @Test("where no mail is sent an admin hands the link over, and the operator that of anybody, the owner too", .row("SEC-06"))
    func byHand() async throws {
        try await atFrontDesk { desk in
            let owner = try await desk.owner()
            #expect(try await owner.get("/setup").object()["sendsMail"] as? Bool == false)
            #expect(try await ask(desk, "host@example.org").hasPrefix("HTTP/1.1 409"))
            let (_, id) = try await user(.host, of: owner, at: desk)
            let (admin, _) = try await user(.admin, of: owner, at: desk)
            #expect(try await admin.post("/users/\(try await owner.get("/auth/me").text("id"))/password-reset").status == 409)
            let made = try await admin.post("/users/\(id)/password-reset")
            let start = "\(desk.installation.origin)/reset-password#token="
            let link = try made.text("link")
            #expect(try made.object()["sent"] as? Bool == false && link.hasPrefix(start))
            #expect(try await choose(desk, String(link.dropFirst(start.count)), "a brand new password").status == 204)
            #expect(try await desk.visitor().signIn("host@example.org", "a brand new password").status == 200)
            try await byOperator(desk, try await owner.get("/organization").text("slug"))
        }
    }

    /// With the shell of the server, while control runs.
    private func byOperator(_ desk: FrontDesk, _ slug: String) async throws {
        func run(_ words: [String]) async throws -> ToolAnswer {
            try await runTool(
                Places.program("strata-control"), ["password-link", "--config", desk.stage.folder["control.conf"]] + words, mayFail: true)
        }
        let (known, address) = (["--organization", slug], ["--email", "owner@example.org"])
        #expect(try await run(known).status == 64)
        #expect(try await run(known + address + address).status == 64)
        for (words, why) in [
            (["--organization", "nobodys"] + address, "there are: \(slug)"), (known + ["--email", "nobody@example.org"], "nobody in"),
            (known + ["--email", "x"], "a mail address"),
        ] {
            let refused = try await run(words)
            #expect(refused.status == 1 && refused.errors.contains(why) && refused.text.isEmpty, "\(refused)")
        }
        let made = try await run(known + address)
        let start = "\(desk.installation.origin)/reset-password#token="
        let link = made.text.split(separator: "\n").first.map(String.init) ?? ""
        #expect(made.status == 0 && link.hasPrefix(start), "\(made)")
        #expect(try await choose(desk, String(link.dropFirst(start.count)), "the owner's new password").status == 204)
        let owner = desk.visitor()
        #expect(try await owner.signIn("owner@example.org", "the owner's new password").status == 200)
        let entry = try #require(try await owner.get("/audit").items().first { $0["action"] as? String == "user.password_reset_issued" })
        #expect(entry["authorKind"] as? String == "operator" && entry["author"] == nil, "\(entry)")
        let operators = try await desk.operating().get("/operator/audit").items()
        #expect(operators.contains { $0["action"] as? String == "user.password_reset_issued" })
    }

    // MARK: Parts

    /// Asks as somebody who names another host than the server's.
    /// - Returns: the whole answer, but for its date.
    private func ask(_ desk: FrontDesk, _ email: String) async throws -> String {
        let words = [
            "-s", "-i", "-H", "Host: evil.example", "-H", "X-Forwarded-Host: evil.example", "-H", "Content-Type: application/json",
        ]
        let answer = try await runTool(
            "curl", words + ["-d", #"{"email":"\#(email)"}"#, "\(desk.server)/api/v1/auth/password-reset"])
        return answer.text.split(separator: "\r\n").filter { !$0.lowercased().hasPrefix("date:") }.joined(separator: "\n")
    }

    private func choose(_ desk: FrontDesk, _ token: String, _ password: String) async throws -> Reply {
        try await desk.visitor().send("PUT", "/auth/password-reset", #"{"token":"\#(token)","password":"\#(password)"}"#)
    }

    private func token(in mail: MailPeer.Mail, _ desk: FrontDesk) throws -> String {
        let start = "\(desk.installation.origin)/reset-password#token="
        let link = try #require(mail.text.split(whereSeparator: \.isWhitespace).first { $0.hasPrefix(start) }, "\(mail.text)")
        return String(link.dropFirst(start.count))
    }

    /// It lies in no file of the server and in no line of its log.
    private func expectUnseen(_ token: String, _ desk: FrontDesk) throws {
        let state = desk.stage.folder["control"]
        for file in try FileManager.default.contentsOfDirectory(atPath: state).filter({ $0.hasPrefix("strata.db") }) {
            #expect(try Data(contentsOf: URL(fileURLWithPath: "\(state)/\(file)")).range(of: Data(token.utf8)) == nil, "\(file)")
        }
        #expect(try !desk.said.contains(token))
    }
}
