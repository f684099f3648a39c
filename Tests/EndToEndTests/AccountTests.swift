import Foundation
import HTTP
import Posix
import Support
import Testing
import Units
import Web
import Wire

/// Who gets into control, for how long and as what: as a user sees it, and as an attacker tries it.
@Suite(.serialized, .unlessStolen)
struct AccountTests {
    // MARK: The first run

    @Test("a server belongs to whoever has its setup secret, once", .row("SEC-01", "ORG-01"))
    func setup() async throws {
        try await atFrontDesk({ $0.hasOwner = false }) { desk in
            let file = desk.stage.folder["control/setup-secret"]
            let secret = try String(contentsOfFile: file, encoding: .utf8).trimmingCharacters(in: .newlines)
            #expect(try mode(file) == 0o600)
            func register(_ secret: String, _ slug: String) async throws -> Reply {
                try await desk.visitor().post(
                    "/auth/register",
                    """
                    {"setupSecret":"\(secret)","organizationName":"First","organizationSlug":"\(slug)","email":"Me@Example.org",
                     "password":"correct horse battery","displayName":"Me"}
                    """)
            }
            #expect(try await desk.visitor().get("/setup").object()["ownerExists"] as? Bool == false)
            let visitor = try await register("not-the-secret", "first")
            #expect(visitor.status == 403)
            #expect(visitor.problem == "forbidden")

            let owner = try await register(secret, "first")
            #expect(owner.status == 201)
            let user = try #require(try owner.object()["user"] as? [String: Any])
            #expect(user["role"] as? String == "owner")
            #expect((user["organization"] as? [String: Any])?["slug"] as? String == "first")
            let cookie = try #require(owner.headers["set-cookie"])
            for part in ["HttpOnly", "Secure", "SameSite=Strict", "Path=/api/v1/auth"] { #expect(cookie.contains(part)) }
            #expect(!String(decoding: owner.body, as: UTF8.self).contains(try #require(cookie.split(separator: ";").first).dropFirst(15)))

            // It is of no use to anybody any more, and gone.
            #expect(!FileManager.default.fileExists(atPath: file))
            #expect(try await register(secret, "second").status == 403)
            #expect(try await desk.visitor().get("/setup").object()["ownerExists"] as? Bool == true)
            let fourth = try await register(secret, "second")
            #expect(fourth.status == 429)
            #expect(Int(try #require(fourth.headers["retry-after"])) ?? 0 > 3000)
            #expect(try await desk.person("me@example.org", "correct horse battery").get("/auth/me").status == 200)
        }
    }

    // MARK: Sessions

    @Test("a refresh token is used once; two tabs stay signed in, a thief signs everybody out", .row("SEC-03", "SEC-04"))
    func rotation() async throws {
        try await atFrontDesk { desk in
            let tab = try await desk.owner()
            let phone = try await desk.owner()
            let first = try #require(tab.cookie)
            #expect(try await tab.refresh().status == 200)
            let second = try #require(tab.cookie)
            #expect(second != first)
            // The other tab comes with the same token a moment later.
            let other = desk.visitor()
            other.cookie = first
            #expect(try await other.refresh().status == 200)
            #expect(other.cookie == second)
            #expect(try await other.get("/auth/me").status == 200)

            let feed = try await phone.watch()
            try await age(desk, by: 11)
            let thief = desk.visitor()
            thief.cookie = first
            #expect(try await thief.refresh().status == 401)
            #expect(try await feed.ending(within: .seconds(1)) == 1008)
            for visitor in [tab, phone, other] {
                #expect(try await visitor.get("/auth/me").status == 401)
                #expect(try await visitor.refresh().status == 401)
            }
            let stranger = desk.visitor()
            stranger.token = "eyJhbGciOiJub25lIn0.e30."
            #expect(try await stranger.get("/auth/me").status == 401)
        }
    }

    @Test("sessions are listed and ended from another one, and what they had open closes at once", .row("SEC-05"))
    func sessions() async throws {
        try await atFrontDesk { desk in
            let laptop = try await desk.owner()
            let phone = try await desk.owner()
            let feed = try await phone.watch()
            let sessions = try await laptop.get("/auth/sessions").items()
            // `strata-provision` has one too: it registered.
            #expect(sessions.count == 3)
            #expect(sessions.filter { $0["current"] as? Bool == true }.count == 1)
            let phones = try #require(
                try await phone.get("/auth/sessions").items().first { $0["current"] as? Bool == true }?["id"] as? String)
            #expect(try await laptop.send("DELETE", "/auth/sessions/\(phones)").status == 204)
            #expect(try await feed.ending(within: .seconds(1)) == 1008)
            #expect(try await phone.get("/auth/me").status == 401)
            #expect(try await phone.refresh().status == 401)
            #expect(try await laptop.send("DELETE", "/auth/sessions/\(phones)").status == 404)

            let own = try await laptop.watch()
            #expect(try await laptop.post("/auth/logout").status == 204)
            #expect(try await own.ending(within: .seconds(1)) == 1008)
            #expect(try await laptop.get("/auth/me").status == 401)
            #expect(laptop.cookie?.isEmpty == true)
        }
    }

    @Test("a new password ends every other session, and others can be ended without one", .row("SEC-05", "SEC-03"))
    func password() async throws {
        let port = try FreePorts.tcp()
        try await atFrontDesk({ $0.mailPort = port }) { desk in
            let peer = try await MailPeer(on: desk.stage, port: port)
            let owner = try await desk.owner()
            let (laptop, _) = try await user(.host, of: owner, at: desk)
            let phone = try await desk.person("host@example.org", "a long password")
            let feed = try await phone.watch()
            func change(_ current: String, _ new: String) async throws -> Reply {
                try await laptop.send("PUT", "/auth/password", #"{"current":"\#(current)","password":"\#(new)"}"#)
            }
            let wrong = try await change("not the password", "another long password")
            #expect(wrong.status == 422)
            #expect(try wrong.fields == ["current"])
            let short = try await change("a long password", "short")
            #expect(short.status == 422)
            #expect(try short.fields == ["password"])
            #expect(try await phone.get("/auth/me").status == 200)
            #expect(try await change("a long password", "another long password").status == 204)
            #expect(try await feed.ending(within: .seconds(1)) == 1008)
            #expect(try await phone.get("/auth/me").status == 401)
            #expect(try await laptop.get("/auth/me").status == 200)
            #expect(try await desk.visitor().signIn("host@example.org", "a long password").status == 401)

            // Whoever it belongs to is told so.
            let mail = try await peer.first
            #expect(mail.to == ["host@example.org"] && mail.headers["Subject"] == "Your password was changed")
            #expect(mail.text.contains(desk.installation.origin) && !mail.text.contains("long password"))

            let tablet = try await desk.person("host@example.org", "another long password")
            let second = try await tablet.watch()
            #expect(try await laptop.send("DELETE", "/auth/sessions").status == 204)
            #expect(try await second.ending(within: .seconds(1)) == 1008)
            #expect(try await tablet.refresh().status == 401)
            #expect(try await laptop.get("/auth/sessions").items().count == 1)
            #expect(try await owner.get("/auth/me").status == 200)
        }
    }

    @Test("the owner hands the organisation to another active user, and is an admin from then on", .row("SEC-03", "ORG-02"))
    func transfer() async throws {
        try await atFrontDesk { desk in
            let owner = try await desk.owner()
            let ownerID = try await owner.get("/auth/me").text("id")
            let (admin, adminID) = try await user(.admin, of: owner, at: desk)
            let (_, memberID) = try await user(.member, of: owner, at: desk)
            let strangerID = try await desk.stranger().get("/auth/me").text("id")
            let password = desk.installation.ownerPassword
            func transfer(to user: String, _ password: String, by visitor: Visitor) async throws -> Reply {
                try await visitor.send("PUT", "/organization/owner", #"{"user":"\#(user)","password":"\#(password)"}"#)
            }
            #expect(try await transfer(to: adminID, "a long password", by: admin).status == 403)
            // A stolen session does not know it.
            #expect(try await owner.send("PUT", "/organization/owner", #"{"user":"\#(adminID)"}"#).status == 422)
            #expect(try await transfer(to: adminID, "a long password", by: owner).status == 422)
            #expect(try await owner.send("PATCH", "/users/\(memberID)", #"{"active":false}"#).status == 200)
            for absent in [memberID, strangerID] { #expect(try await transfer(to: absent, password, by: owner).status == 404) }
            #expect(try await transfer(to: adminID, password, by: owner).text("role") == "owner")
            #expect(try await owner.get("/auth/me").text("role") == "admin")
            // It cannot be taken back, and the new owner stays.
            #expect(try await transfer(to: ownerID, password, by: owner).status == 403)
            #expect(try await owner.send("PATCH", "/users/\(adminID)", #"{"active":false}"#).status == 409)
            let entry = try await admin.get("/audit").items().first { $0["action"] as? String == "organization.ownership_transferred" }
            #expect(entry?["subject"] as? String == adminID)
        }
    }

    @Test("a user who is shut out is out at once, and nobody shuts out the owner", .row("SEC-03", "ORG-02"))
    func deactivation() async throws {
        try await atFrontDesk { desk in
            let owner = try await desk.owner()
            let (admin, adminID) = try await user(.admin, of: owner, at: desk)
            let (member, memberID) = try await user(.member, of: owner, at: desk)
            let feed = try await member.watch()
            #expect(try await admin.send("PATCH", "/users/\(memberID)", #"{"active":false}"#).status == 200)
            #expect(try await feed.ending(within: .seconds(1)) == 1008)
            #expect(try await member.get("/auth/me").status == 401)
            #expect(try await member.refresh().status == 401)
            #expect(try await member.signIn("member@example.org", "a long password").status == 401)
            #expect(try await admin.send("PATCH", "/users/\(memberID)", #"{"active":true}"#).status == 200)
            #expect(try await member.signIn("member@example.org", "a long password").status == 200)

            let ownerID = try await owner.get("/auth/me").text("id")
            for change in [#"{"active":false}"#, #"{"role":"member"}"#, #"{"displayName":"Nobody"}"#] {
                #expect(try await admin.send("PATCH", "/users/\(ownerID)", change).status == 409)
            }
            #expect(try await owner.send("PATCH", "/users/\(ownerID)", #"{"role":"admin"}"#).status == 409)
            #expect(try await owner.send("PATCH", "/users/\(ownerID)", #"{"displayName":"Still me"}"#).status == 200)
            // No admin makes another, nor himself more than he is.
            #expect(try await admin.send("PATCH", "/users/\(memberID)", #"{"role":"admin"}"#).status == 403)
            #expect(try await admin.send("PATCH", "/users/\(adminID)", #"{"role":"owner"}"#).status == 422)
            // Nothing of a change that is refused in part.
            #expect(try await owner.send("PATCH", "/users/\(memberID)", #"{"displayName":"   ","role":"host"}"#).status == 422)
            #expect(try await member.get("/auth/me").text("role") == "member")
            // A role counts from the next request on, not from the next token.
            #expect(try await owner.send("PATCH", "/users/\(memberID)", #"{"role":"host"}"#).status == 200)
            #expect(try await member.get("/destinations").status == 200)
        }
    }

    @Test(
        "the owner deletes the organisation by its name and the password: all of it is gone, and nothing of another one",
        .row("ORG-03", "SEC-19"))
    func deletion() async throws {
        try await atFrontDesk { desk in
            let owner = try await desk.owner()
            let (admin, _) = try await user(.admin, of: owner, at: desk)
            let other = try await desk.stranger()
            let socket = try await desk.board(of: owner).connect()
            let feed = try await admin.watch()
            let room = try await owner.post("/rooms", #"{"name":"Studio"}"#).text("id")
            let guest = try await RawPage(at: desk)
            _ = try await guest.enter(try await owner.post("/rooms/\(room)/passes", #"{"use":"join"}"#).text("token"))
            let slug = try await owner.get("/organization").text("slug")
            func delete(_ slug: String, _ password: String, by visitor: Visitor) async throws -> Reply {
                try await visitor.send("DELETE", "/organization", #"{"organization":"\#(slug)","password":"\#(password)"}"#)
            }
            #expect(try await delete(slug, "a long password", by: admin).status == 403)
            #expect(try await delete("other", desk.installation.ownerPassword, by: owner).fields == ["organization"])
            #expect(try await delete(slug, "not the password", by: owner).fields == ["password"])
            #expect(try await owner.get("/senders").items().count == 1)
            #expect(try await delete(slug, desk.installation.ownerPassword, by: owner).status == 204)
            #expect(try await feed.ending(within: .seconds(5)) == 1008)
            #expect(try await socket.ending(within: .seconds(5)) == WireLimits.revokedCloseCode)
            #expect(try await guest.over() == .closed)
            for visitor in [owner, admin] {
                #expect(try await visitor.get("/auth/me").status == 401)
                #expect(try await visitor.refresh().status == 401)
            }
            #expect(try await desk.visitor().signIn("owner@example.org", desk.installation.ownerPassword).status == 401)
            let rows = "SELECT (SELECT count(*) FROM organizations) || ' ' || (SELECT count(*) FROM devices) || ' ' || count(*) FROM users"
            try await eventually(within: .seconds(10), "all of it is gone") { try await sqlite(desk, rows) == "1 0 1" }
            #expect(try await other.get("/organization").text("slug") == "other")
            let entry = try await desk.operating().get("/operator/audit").items().first {
                $0["action"] as? String == "organization.deleted"
            }
            #expect(entry?["detail"] as? String == "\(slug) by owner@example.org")
            // With the last one the server is nobody's, as it was at first.
            #expect(try await delete("other", "another long password", by: other).status == 204)
            try await eventually(within: .seconds(10), "it says so") { try desk.said.contains("nobody owns this server any more") }
            let secret = try String(contentsOfFile: desk.stage.folder["control/setup-secret"], encoding: .utf8)
                .trimmingCharacters(in: .newlines)
            let request = """
                {"setupSecret":"\(secret)","organizationName":"New","organizationSlug":"\(slug)","email":"new@example.org",
                 "password":"a long password","displayName":"New"}
                """
            #expect(try await desk.visitor().post("/auth/register", request).status == 201)
        }
    }

    // MARK: Limits

    @Test("too many logins or requests are answered with how long to wait", .row("SEC-11"))
    func rates() async throws {
        try await atFrontDesk({ $0.requestsPerMinute = 12 }) { desk in
            let owner = try await desk.owner()
            for _ in 0..<5 { #expect(try await desk.visitor().signIn("owner@example.org", "wrong password").status == 401) }
            let right = try await desk.visitor().signIn("owner@example.org", desk.installation.ownerPassword)
            #expect(right.status == 429)
            #expect(right.problem == "too-many-requests")
            #expect((1...60).contains(Int(try #require(right.headers["retry-after"])) ?? 0))
            // The owner's own browser is counted by itself: whoever fails at the same address does not keep it out.
            #expect(try await owner.signIn("owner@example.org", desk.installation.ownerPassword).status == 200)
            let known = try #require(try await owner.refresh().headers.all("set-cookie").last)
            for part in ["strata_browser=", "HttpOnly", "Secure", "SameSite=Strict", "Path=/api/v1/auth"] { #expect(known.contains(part)) }

            var statuses: [Int] = []
            for _ in 0..<14 { statuses.append(try await owner.get("/auth/me").status) }
            #expect(statuses.prefix(5).allSatisfy { $0 == 200 })
            let refused = try await owner.get("/senders")
            #expect(refused.status == 429)
            #expect((1...60).contains(Int(try #require(refused.headers["retry-after"])) ?? 0))
            #expect(try await desk.visitor().get("/health").status == 200)
            // What it takes to stop a broadcast goes on: the page's refresh, its ticket and Stop.
            #expect(try await owner.refresh().status == 200)
            #expect(try await owner.post("/auth/ticket").status == 200)
            #expect(try await owner.post("/broadcasts/01ARZ3NDEKTSV4RRFFQ69G5FAV/stop").status == 404)
            #expect(try await owner.get("/senders").status == 429)
        }
    }

    @Test("what an address asks for without a token keeps nobody there from signing in and stopping", .row("SEC-11"))
    func openFlood() async throws {
        try await atFrontDesk({ $0.openPerMinute = 20 }) { desk in
            let owner = try await desk.owner()
            var statuses: [Int] = []
            for _ in 0..<25 { statuses.append(try await desk.visitor().get("/health").status) }
            #expect(statuses.last == 429 && statuses.first == 200)
            // A token that has run out is told as such, which is what has a page refresh.
            let late = desk.visitor()
            late.token = "expired"
            #expect(try await late.post("/broadcasts/01ARZ3NDEKTSV4RRFFQ69G5FAV/stop").status == 401)
            #expect(try await owner.refresh().status == 200)
            #expect(try await owner.post("/broadcasts/01ARZ3NDEKTSV4RRFFQ69G5FAV/stop").status == 404)
            #expect(try await desk.visitor().signIn("owner@example.org", desk.installation.ownerPassword).status == 200)
        }
    }

    // MARK: Secrets

    @Test("secrets go in and never come out: not by the API, not in the file, not in the log", .row("SEC-02", "SEC-16"))
    func secrets() async throws {
        try await atFrontDesk({ $0.logLevel = "trace" }) { desk in
            let owner = try await desk.owner()
            let secret = "st-REAM-key-0123456789"
            let made = try await owner.post("/destinations", #"{"name":"tube","preset":"youtube","secret":"\#(secret)"}"#)
            let id = try made.text("id")
            let changed = try await owner.send("PUT", "/destinations/\(id)", #"{"name":"tube 2","preset":"youtube"}"#)
            let token = try await desk.token(of: owner)
            let apiToken = try await owner.post(
                "/api-tokens", #"{"name":"T","scopes":["read"],"password":"\#(desk.installation.ownerPassword)"}"#
            ).text("token")
            let program = desk.visitor()
            program.token = apiToken
            #expect(try await program.get("/auth/me").status == 200)
            _ = try await owner.refresh()
            var shown = [made, changed]
            for path in ["/destinations", "/destinations/\(id)", "/audit", "/enrollment-tokens", "/auth/sessions", "/api-tokens"] {
                shown.append(try await owner.get(path))
            }
            for answer in shown {
                #expect(answer.status < 300)
                for word in [secret, token, apiToken] { #expect(!String(decoding: answer.body, as: UTF8.self).contains(word)) }
            }
            #expect(changed.status == 200)
            #expect(try changed.text("maskedSecret").allSatisfy { $0 == "•" })

            let state = desk.stage.folder["control"]
            let operatorToken = try #require(try desk.operating().token)
            let hidden = [
                secret, token, apiToken, String(token.split(separator: ".")[2]), try #require(owner.cookie), try #require(owner.token),
                desk.installation.ownerPassword, operatorToken, try #require(owner.browser),
            ]
            let files = try FileManager.default.contentsOfDirectory(atPath: state).filter { $0.hasPrefix("strata.db") }
            #expect(!files.isEmpty)
            var stored = Data()
            for file in files { stored += try Data(contentsOf: URL(fileURLWithPath: "\(state)/\(file)")) }
            let said = try desk.said
            for word in hidden {
                #expect(stored.range(of: Data(word.utf8)) == nil)
                #expect(!said.contains(word))
            }
            #expect(stored.range(of: Data("$argon2id$v=19$m=65536,t=3,p=1$".utf8)) != nil)
            #expect(try mode(state) == 0o700)
            for file in ["master.key", "operator-token"] { #expect(try mode("\(state)/\(file)") == 0o600) }
        }
    }

    @Test("a WebSocket opens by a ticket, once, and from our own pages only")
    func tickets() async throws {
        try await atFrontDesk { desk in
            let owner = try await desk.owner()
            #expect(try await owner.refusedWatch(ticket: "") == 401)
            #expect(try await owner.refusedWatch(ticket: owner.token) == 401)
            for origin in ["https://evil.example", "null"] {
                let shown = try await owner.post("/auth/ticket").text("ticket")
                #expect(try await owner.refusedWatch(ticket: shown, origin: origin) == 403)
                #expect(try await owner.refusedWatch(ticket: shown, origin: desk.server) == 401, "it is used up")
            }
            let ticket = try await owner.post("/auth/ticket").text("ticket")
            let socket = try await owner.watch(ticket: ticket, origin: desk.server)
            #expect(try await owner.refusedWatch(ticket: ticket, origin: desk.server) == 401)
            await socket.close()
            // The cookie alone does nothing for a foreign page either.
            let foreign = try await owner.send("POST", "/auth/refresh", headers: [("Origin", "https://evil.example")])
            #expect(foreign.status == 403)
            // A ticket of a session that ended meanwhile.
            let late = try await owner.post("/auth/ticket").text("ticket")
            #expect(try await owner.post("/auth/logout").status == 204)
            #expect(try await owner.refusedWatch(ticket: late) == 401)
        }
    }

    // MARK: What is sent

    private static let wrong: [(body: String, status: Int, field: String?)] = [
        ("{", 400, nil), ("", 400, nil), ("\"x", 400, nil), ("{\"name\":\"\\ud800\"}", 400, nil), ("{\"name\":1e999}", 400, nil),
        (String(repeating: "[", count: 100_000), 400, nil),
        ("null", 422, "body"), ("[]", 422, "body"), ("1", 422, "body"), ("\"text\"", 422, "body"),
        ("{}", 422, "name"), (#"{"name":null,"preset":"twitch"}"#, 422, "name"), (#"{"name":7,"preset":"twitch"}"#, 422, "name"),
        (#"{"name":"","preset":"twitch"}"#, 422, "name"), (#"{"name":"a\u0007b","preset":"twitch","secret":"k"}"#, 422, "name"),
        (#"{"name":"x","preset":"myspace","secret":"k"}"#, 422, "preset"),
        (#"{"name":"x","preset":"twitch","secret":"k","nam":1}"#, 422, "nam"),
        (#"{"name":"x","preset":"twitch","secret":"k","x":null}"#, 422, "x"),
        (#"{"name":"x","preset":"twitch","secret":"two words"}"#, 422, "secret"),
        (#"{"name":"x","preset":"twitch"}"#, 422, "secret"), (#"{"name":"x","secret":"k"}"#, 422, "url"),
        (#"{"name":"x","url":"http://h/app","secret":"k"}"#, 422, "url"),
        (#"{"name":"x","url":"rtmp://h:99999/app","secret":"k"}"#, 422, "url"),
        (#"{"name":"x","url":"rtmp://u:p@h/app","secret":"k"}"#, 422, "url"),
        (#"{"name":"x","url":"rtmp://h/app ! filesink location=/tmp/x","secret":"k"}"#, 422, "url"),
        (#"{"name":"x","url":"srt://h:9000?mode=listener","secret":"0123456789"}"#, 422, "url"),
        (#"{"name":"x","url":"srt://h:9000","srtMode":"listener"}"#, 422, "secret"),
        (#"{"name":"x","url":"srt://h:9000","latencyMs":20.5}"#, 422, "latencyMs"),
        (#"{"name":"x","url":"srt://h:9000","latencyMs":99999}"#, 422, "latencyMs"),
    ]

    @Test("what cannot be read is refused by field, and the connection survives", .row("CTL-18"))
    func malformed() async throws {
        try await atFrontDesk { desk in
            let owner = try await desk.owner()
            for (body, status, field) in Self.wrong {
                let answer = try await owner.post("/destinations", body)
                #expect(answer.status == status, "\(body.prefix(80)) was answered with \(answer)")
                #expect(answer.problem != nil, "\(body.prefix(80)) was answered with \(answer)")
                if let field { #expect(try answer.fields.contains(field), "\(body.prefix(80)) was answered with \(answer)") }
            }
            let colon = try await owner.post("/destinations", "{\n \"name\" \"x\"}")
            #expect(try colon.object()["detail"] as? String == "the body is no JSON: see line 2, column 9", "\(colon)")
            #expect(try await owner.send("POST", "/destinations", "{}", type: "text/plain").status == 415)
            let large = #"{"name":"\#(String(repeating: "x", count: 1 << 20))"}"#
            let refused = try await owner.post("/destinations", large)
            #expect(refused.status == 413)
            #expect(refused.problem == "too-large")
            for path in ["/senders/x", "/senders/\(String(repeating: "Z", count: 26))", "/nothing", "/senders/%2e%2e"] {
                let answer = try await owner.get(path)
                #expect([400, 404].contains(answer.status), "\(path) was answered with \(answer)")
            }
            let wrongMethod = try await owner.send("PUT", "/senders", "{}")
            #expect(wrongMethod.status == 405)
            #expect(wrongMethod.headers["allow"] == "GET")
            #expect(try await owner.get("/destinations").items().isEmpty)

            // One connection takes faults and goes on: curl tells how many it opened for each request.
            let url = "\(desk.server)/api/v1/auth/login"
            let post = ["-s", "-o", "/dev/null", "-w", "%{http_code} %{num_connects}\n", "-H", "Content-Type: application/json", "-d"]
            let words = post + ["{", url, "--next"] + post + [#"{"email":7}"#, url, "--next"] + post + ["null", url]
            #expect(try await runTool("curl", words).text == "400 1\n422 0\n422 0\n")
        }
    }

    // MARK: What is kept

    @Test(
        "what was acknowledged is in one file, sorted by its creation, and survives kill -9", .row("STO-01", "STO-09"))
    func kept() async throws {
        try await atFrontDesk { desk in
            let owner = try await desk.owner()
            for name in ["b", "a", "c"] {
                #expect(try await owner.post("/destinations", #"{"name":"\#(name)","preset":"twitch","secret":"k"}"#).status == 201)
            }
            try await desk.installation.program("control").kill9()
            try await desk.installation.startControl()
            let items = try await owner.get("/destinations").items()
            #expect(items.compactMap { $0["name"] as? String } == ["b", "a", "c"])
            let ids = items.compactMap { $0["id"] as? String }
            #expect(ids == ids.sorted())
            #expect(ids.allSatisfy { ULID($0) != nil })
            let created = try #require(try await owner.get("/auth/sessions").items().first?["createdAt"] as? String)
            #expect(created.wholeMatch(of: #/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/#) != nil)
            let head = try #require(try FileHandle(forReadingAtPath: desk.stage.folder["control/strata.db"])?.read(upToCount: 15))
            #expect(String(decoding: head, as: UTF8.self) == "SQLite format 3")
        }
    }

    @Test(
        "each hour what is over is removed, each five minutes health is looked after, and a restart forgets no job",
        .row("CTL-16", "DIA-10"))
    func housekeeping() async throws {
        try await atFrontDesk { desk in
            let phone = try await desk.owner()
            let laptop = try await desk.owner()
            let id = try #require(try await phone.get("/auth/sessions").items().first { $0["current"] as? Bool == true }?["id"] as? String)
            func jobs(_ outcome: String) async throws -> String {
                try await sqlite(desk, "SELECT count(*) FROM jobs WHERE kind = 'cleanup' AND outcome IS \(outcome)")
            }
            // The first has run by now, and planned the next hour's.
            try await eventually(within: .seconds(5), "the first cleanup is done") { try await jobs("'done'") == "1" }
            #expect(try await jobs("NULL") == "1")
            // A session that ended long ago, and the next hour comes while control is away.
            try await desk.installation.program("control").kill9()
            _ = try await sqlite(desk, "UPDATE sessions SET expires_at = 1000 WHERE id = '\(id)'")
            // The look at the server's health runs before its own five minutes have begun, as where the clock was set back.
            let slot = Int(Date.now.timeIntervalSince1970) / 300 + 1
            _ = try await sqlite(desk, "UPDATE jobs SET run_at = 1000 WHERE outcome IS NULL")
            _ = try await sqlite(desk, "UPDATE jobs SET unique_key = 'slot \(slot)' WHERE kind = 'health' AND outcome IS NULL")
            try await desk.installation.startControl()
            try await eventually(within: .seconds(5), "the session is gone") {
                try await sqlite(desk, "SELECT count(*) FROM sessions WHERE id = '\(id)'") == "0"
            }
            #expect(try await phone.get("/auth/me").status == 401)
            #expect(try await laptop.get("/auth/me").status == 200)
            // So was the time to look how the server is, and the next one is planned.
            try await eventually(within: .seconds(5), "the server's health is kept") {
                try await laptop.get("/diagnostics/snapshots").items().contains { $0["occasion"] as? String == "scheduled" }
            }
            try await eventually(within: .seconds(5), "the next check is planned") {
                let next = "unique_key = 'slot \(slot + 1)' AND outcome IS NULL"
                return try await sqlite(desk, "SELECT count(*) FROM jobs WHERE kind = 'health' AND \(next)") == "1"
            }
        }
    }

    @Test("anybody can ask whether it lives, and only an admin how it is", .row("DIA-09", "DIA-11"))
    func health() async throws {
        try await atFrontDesk { desk in
            let alive = try await desk.visitor().get("/health")
            #expect(alive.status == 200)
            #expect(String(decoding: alive.body, as: UTF8.self) == #"{"status":"ok"}"#)
            #expect(try await desk.visitor().get("/diagnostics/health").status == 401)
            let owner = try await desk.owner()
            let diagnosis = try await owner.get("/diagnostics/health").object()
            let probes = try #require(diagnosis["probes"] as? [[String: Any]])
            #expect(Set(probes.compactMap { $0["name"] as? String }) == ["database", "disk", "pool", "certificate"])
            #expect(probes.allSatisfy { $0["latencyMs"] as? Double != nil })
            // No pool host is connected here, and it says so.
            #expect(diagnosis["status"] as? String == "degraded")
            #expect(probes.first { $0["name"] as? String == "pool" }?["detail"] as? String == "no pool host is connected")
            // What somebody asks for is kept, for all who may see it, and not asked without end.
            let made = try await owner.post("/diagnostics/health")
            #expect(try made.status == 201 && made.text("status") == "degraded" && made.text("occasion") == "manual", "\(made)")
            let kept = try await owner.get("/diagnostics/snapshots?limit=1")
            #expect(try kept.items().first?["id"] as? String == made.text("id") && kept.text("next") == made.text("id"), "\(kept)")
            #expect(try await owner.get("/diagnostics/snapshots?after=\(made.text("id"))").items().isEmpty)
            for query in ["limit=0", "limit=501", "limit=x", "after=x", "limit=1&limit=2"] {
                #expect(try await owner.get("/diagnostics/snapshots?\(query)").status == 422, "\(query)")
            }
            for _ in 0..<5 { _ = try await owner.post("/diagnostics/health") }
            #expect(try await owner.post("/diagnostics/health").status == 429)
            #expect(try await desk.visitor().get("/metrics").status == 401)
            let metrics = try await desk.operating().get("/metrics")
            #expect(String(decoding: metrics.body, as: UTF8.self).contains("control_senders_online 0"))
            #expect(try await owner.get("/metrics").status == 401)
        }
    }

    // MARK: Parts

    private func mode(_ path: String) throws -> Int {
        let attributes = try FileManager.default.attributesOfItem(atPath: path)
        return try #require(attributes[.posixPermissions] as? Int)
    }

    /// Makes the rotations of refresh tokens older than they are, in place of a wait.
    private func age(_ desk: FrontDesk, by seconds: Int) async throws {
        _ = try await sqlite(desk, "UPDATE refresh_tokens SET rotated_at = rotated_at - \(seconds * 1000)")
    }
}

/// What a statement on control's database gives first, for moving what a test cannot wait for.
func sqlite(_ desk: FrontDesk, _ statement: String, in file: String = "strata.db") async throws -> String {
    let script = """
        import sqlite3, sys
        database = sqlite3.connect(sys.argv[1], timeout=5)
        row = database.execute(sys.argv[2]).fetchone()
        database.commit()
        print(row[0] if row else "")
        """
    let answer = try await runTool("python3", ["-c", script, desk.stage.folder["control/\(file)"], statement])
    return answer.text.trimmingCharacters(in: .newlines)
}

/// A user of a role, signed in.
func user(_ role: Role, of owner: Visitor, at desk: FrontDesk) async throws -> (Visitor, id: String) {
    let body =
        #"{"email":"\#(role.rawValue)@example.org","displayName":"\#(role.rawValue)","role":"\#(role.rawValue)","password":"a long password"}"#
    let made = try await owner.post("/users", body)
    guard made.status == 201 else { throw SupportFailure("no user: \(made)") }
    return (try await desk.person("\(role.rawValue)@example.org", "a long password"), try made.text("id"))
}
