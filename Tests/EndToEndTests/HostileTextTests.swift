import Crypto
import Foundation
import HTTP
import Posix
import Support
import Testing
import Units
import Web
import Wire

/// Texts that want to be something else: a terminal's orders, a pipeline, a command, markup, a header, a path (THREATS 6).
/// They are refused, or carried as what they are; nothing is executed and nothing that shows them breaks.
@Suite(.serialized, .unlessStolen)
struct HostileTextTests {
    /// What would exist if a text were executed.
    private static let trap = "/tmp/strata-executed-\(getpid())"

    private static let texts = [
        "x ! filesink location=\(trap)", "?mode=listener", "$(touch \(trap))", "`touch \(trap)`; touch \(trap) #", "|touch \(trap)",
        "../../../../etc/passwd", "<script>alert(1)</script>", "\"><img src=x onerror=alert(1)>", "%s%n%x%%", "' OR '1'='1'; --",
        "=cmd|'/c calc'!A1", "x\r\nSet-Cookie: a=b", "a\u{0}b", "\u{1b}]0;owned\u{7}\u{1b}[2J", "\u{9b}2J", "a\u{202e}gpj.exe", "\u{2028}",
        String(repeating: "A", count: 5000), "e" + String(repeating: "\u{301}", count: 3000), "👩🏽‍🚀", "\"\"\"\nkey = 1", "${jndi:ldap://x}",
    ]

    @Test("every text field of every route takes a hostile text as data, or refuses it by field", .row("CTL-18"))
    func everyField() async throws {
        try await atFrontDesk({
            $0.logLevel = "trace"
            $0.quotas = ["webhooks": 1000]
        }) { desk in
            let owner = try await desk.owner()
            let board = try await desk.board(of: owner)
            let socket = try await board.connect()
            let reading = Task { try await RawBoard.answerAll(socket, .done) }
            defer { reading.cancel() }
            let sender = "\(board.identity.device)"
            try await eventually(within: .seconds(5), "the board is online") {
                try await owner.get("/senders/\(sender)").object()["online"] as? Bool == true
            }
            let destination = try await owner.post("/destinations", #"{"name":"d","url":"rtmp://127.0.0.1/app","secret":"key"}"#).text("id")
            let broadcast = try await owner.post("/broadcasts", #"{"sender":"\#(sender)","destinations":["\#(destination)"]}"#).text("id")
            let user = try await owner.post(
                "/users", #"{"email":"u@example.org","displayName":"Una","role":"member","password":"a long password"}"#
            ).text("id")
            let webhook = try await owner.post("/webhooks", #"{"url":"https://127.0.0.1:1/","description":"w","active":true}"#).text("id")
            let bodies = Self.bodies(sender: sender, destination: destination)
            let room = try await owner.post("/rooms", #"{"name":"Studio"}"#).text("id")
            let meeting = try await owner.post("/meetings", #"{"title":"Stand-up"}"#).text("id")
            let ids = [
                "senders": sender, "destinations": destination, "broadcasts": broadcast, "users": user, "webhooks": webhook, "rooms": room,
                "meetings": meeting,
                "rollouts": try await owner.post("/rollouts", RolloutRouteTests.request(RolloutRouteTests.publish("1.4.0", at: desk)))
                    .text("id"),
            ]
            var tried: [String: Int] = [:]
            var next = 0
            for operation in try await operations(desk) {
                let body = try #require(bodies[operation.schema], "no body is known for \(operation.schema)")
                let who = operation.path.contains("/operator/") ? try desk.operating() : owner
                let path = ids.reduce(operation.path) { $0.replacingOccurrences(of: "/\($1.key)/{id}", with: "/\($1.key)/\($1.value)") }
                let isSlow = body.keys.contains { $0.lowercased().hasSuffix("password") }
                for field in Self.fields(of: body) {
                    // A password costs a third of a second: each field of its routes gets the next two, so that each text has its turn.
                    let texts = isSlow ? [next, next + 1].map { Self.texts[$0 % Self.texts.count] } : Self.texts
                    next += isSlow ? 2 : 0
                    for text in texts {
                        let (spoiled, name) = Self.spoiled(body, field, text)
                        let answer = try await who.send(operation.method, path, spoiled)
                        judge(answer, "\(operation.method) \(path) \(name)", text, fields: operation.fields)
                        tried[operation.schema, default: 0] += 1
                    }
                }
            }
            for text in Self.texts {
                // A basic string of TOML is written as one of JSON is.
                let quoted = String(decoding: try JSONEncoder().encode(text), as: UTF8.self).replacingOccurrences(of: "\\/", with: "/")
                for toml in ["[video]\ninput = \(quoted)", "[transport]\nlinks = [\(quoted)]", "[\(quoted)]\nx = 1", "\(quoted) = 1"] {
                    let body = try JSONSerialization.data(withJSONObject: ["toml": toml])
                    let answer = try await owner.send("PUT", "/senders/\(sender)/configuration", String(decoding: body, as: UTF8.self))
                    judge(answer, "TOML", text, fields: ["toml"])
                }
            }
            measured("hostile texts", "\(tried.values.reduce(0, +)) in \(tried.count) bodies")
            #expect(tried.count >= 15 && next >= Self.texts.count)
            try await expectSound(desk, owner)
        }
    }

    @Test("bytes that are no text, and headers that are hostile ones, are refused or shown as they are")
    func bytes() async throws {
        try await atFrontDesk({ $0.logLevel = "trace" }) { desk in
            let owner = try await desk.owner()
            for name in ["\u{1}", "ok"] {
                for bytes: [UInt8] in [[0xff, 0xfe], [0xc0, 0xaf], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xe2, 0x82]] {
                    let file = try desk.stage.folder.write("", to: "body")
                    try Data(Array(#"{"name":"\#(name)"#.utf8) + bytes + Array(#"","preset":"twitch","secret":"k"}"#.utf8))
                        .write(to: URL(fileURLWithPath: file))
                    let answer = try await curl(
                        desk, owner, ["--data-binary", "@\(file)", "-H", "Content-Type: application/json"], "/destinations")
                    #expect(["400", "422"].contains(answer.suffix(3)), "\(bytes) was answered with \(answer)")
                }
            }
            // What a header holds is logged, stored and shown: here as the browser of a session.
            let body = #"{"email":"owner@example.org","password":"\#(desk.installation.ownerPassword)"}"#
            for agent in ["\u{9b}2J\u{202e}<script>", "Mozilla \u{1f600} %s%n", String(repeating: "A", count: 4000)] {
                let answer = try await curl(
                    desk, nil, ["-d", body, "-H", "Content-Type: application/json", "-A", agent], "/auth/login")
                #expect(["200", "400"].contains(answer.suffix(3)), "\(answer)")
            }
            for header in ["Cookie: strata_refresh=../../x\"", "Authorization: Bearer \u{202e}$(reboot)", "X-Forwarded-For: <script>"] {
                let answer = try await curl(desk, nil, ["-H", header], "/auth/me")
                #expect(["401", "400"].contains(answer.suffix(3)), "\(answer)")
            }
            for session in try await owner.get("/auth/sessions").items() {
                let agent = try #require(session["userAgent"] as? String)
                #expect(agent.isPlain && agent.count <= 200, "\(agent)")
            }
            for path in ["/senders/%00", "/%1b%5b2J", "/destinations/%2e%2e%2f%2e%2e%2fmaster.key", "/%E2%80%AEx", "/<script>"] {
                #expect(["400", "404"].contains(try await curl(desk, owner, ["--path-as-is"], path).suffix(3)), "\(path)")
            }
            try await expectSound(desk, owner)
        }
    }

    @Test("a pool host's texts and numbers are bounded where they are shown", .row("CTL-18"))
    func host() async throws {
        try await atFrontDesk { desk in
            let owner = try await desk.owner()
            try await refusedHosts(desk)
            let (first, second) = (try await host(desk), try await host(desk))
            let hosts = try await eventually(within: .seconds(5), "both are listed") {
                let items: [HostView] = try JSONDecoder().decode(
                    ListView<HostView>.self, from: Data(try await desk.operating().get("/operator/pool").body)
                ).items
                let online = items.filter(\.online)
                return online.count == 2 ? online : nil
            }
            for host in hosts {
                #expect((host.version ?? "").isPlain && (host.version ?? "").count <= 64 && (host.capacity ?? .max) <= 10_000)
                #expect(host.addresses == ["192.0.2.1", "live.example.org"], "what is no address is left out of those that are")
            }
            // Whoever is to be started finds two hosts with room for Int.max streams each, and nothing overflows.
            let board = try await desk.board(of: owner)
            let socket = try await board.connect()
            let reading = Task { try await RawBoard.answerAll(socket, .done) }
            defer { reading.cancel() }
            try await eventually(within: .seconds(5), "the board is online") {
                try await owner.get("/senders/\(board.identity.device)").object()["online"] as? Bool == true
            }
            let place = try await owner.post("/destinations", #"{"name":"a","url":"rtmp://127.0.0.1/app","secret":"key"}"#).text("id")
            let started = try await owner.post("/broadcasts", #"{"sender":"\#(board.identity.device)","destinations":["\#(place)"]}"#)
            #expect(started.status == 201, "\(started)")
            let path = "/broadcasts/\(try started.text("id"))"
            let answering = [first, second].map { socket in Task { try await Self.answerHostile(socket) } }
            defer { for task in answering { task.cancel() } }
            let ended = try await eventually(within: .seconds(5), "the refused lease ends it") {
                let view = try JSONDecoder().decode(BroadcastView.self, from: Data(try await owner.get(path).body))
                return view.state == "ended" ? view : nil
            }
            #expect((ended.reason ?? "").isPlain && (ended.reason ?? "").count < 2000)
            try await expectSound(desk, owner)
        }
    }

    @Test("strata-provision shows what a hostile server says as text, and steers no terminal")
    func terminal() async throws {
        try await onStage { stage in
            let loop = try Loop(name: "hostile")
            let text = "\u{1b}]0;owned\u{7}\u{1b}[2J\u{9b}31m\u{202e}x\u{2028}\r"
            let problem = Problem(type: "x", title: text, status: 403, detail: text, faults: [.init(field: text, expected: text)])
            let session = SessionView(
                accessToken: SecretOnWire(Secret("token")), expiresInSeconds: 900,
                user: UserView(
                    id: try #require(UserID("01ARZ3NDEKTSV4RRFFQ69G5FAV")), email: "me@example.org", displayName: text, role: .owner,
                    active: true,
                    organization: OrganizationView(id: try #require(OrganizationID("01ARZ3NDEKTSV4RRFFQ69G5FAV")), name: text, slug: "x")),
                may: [text])
            let server = Server(
                configuration: ServerConfiguration(listeners: [Listener(try #require(SocketAddress("127.0.0.1", port: 0)))]), loops: [loop]
            ) { request in
                // try?: both encode.
                let body = request.path.hasSuffix("/login") ? try? JSONEncoder().encode(session) : try? JSONEncoder().encode(problem)
                var response = Response.json(Array(body ?? Data()), status: request.path.hasSuffix("/login") ? .ok : Status(code: 403))
                response.headers.add("Set-Cookie", "strata_refresh=token")
                return response
            }
            let address = try await server.start()[0]
            let password = try stage.folder.write("a long password", to: "password")
            for (words, status) in [
                (["login", "--email", "me@example.org", "--password-file", password], Int32(0)),
                (
                    [
                        "register", "--setup-secret-file", password, "--organization", "o", "--slug", "o", "--email", "m@e", "--name", "n",
                        "--password-file", password,
                    ], 1
                ),
            ] {
                let answer = try await runTool(
                    Places.program("strata-provision"),
                    ["--server", "http://\(address)", "--session", stage.folder["session"]] + words, mayFail: true)
                #expect(answer.status == status, "\(answer.errors)")
                let shown = answer.text + answer.errors
                #expect(shown.contains("owned"), "the text itself is shown: \(shown)")
                for scalar in shown.unicodeScalars where scalar != "\n" {
                    #expect(!scalar.isHostile, "U+\(String(scalar.value, radix: 16))")
                }
                if status == 0 {
                    let object = try JSONSerialization.jsonObject(with: answer.output) as? [String: Any]
                    #expect(object?["displayName"] as? String == text)
                }
            }
            await server.shutdown(grace: .zero)
            loop.stop()
        }
    }

    @Test("a broadcast whose every field is hostile is live, and each field arrives as it was written", .row("RCV-03", "RCV-04", "SND-07"))
    func broadcast() async throws {
        try await inStudio { studio in
            let sender = try await studio.sender()
            let name = "x ! filesink location=\(Self.trap.replacingOccurrences(of: "/", with: "_")) $(id) 'y'.mp4"
            try FileManager.default.copyItem(atPath: Places.clip(), toPath: studio.media + "/" + name)
            try Data().write(to: URL(fileURLWithPath: studio.media + "/a\u{202e}4pm.mp4"))
            let input = try await studio.offered(name, by: sender.id)
            #expect(try studio.owner.sender(sender.id)?.inventory.inputs.allSatisfy { $0.name.isPlain } == true)

            let key = "k!filesink.location=$(touch${IFS}\(Self.trap.dropFirst(5)))&x;<b>%s"
            let passphrase = "?mode=listener;x='$(id)' ! filesink\""
            let srt = try SRTPeer.listener(on: studio.stage, passphrase: passphrase)
            let platform = try await studio.destination("<script>alert(1)</script> ! fakesink", url: studio.nginx.url(), secret: key)
            let request = DestinationRequest(
                name: "$(reboot)", url: "srt://127.0.0.1:\(srt.port)", secret: SecretOnWire(Secret(passphrase)),
                streamID: "#!::r=../../x,m=publish ?mode=listener ! filesink location=\(Self.trap)")
            let endpoint: DestinationView = try await studio.owner.call(.post, "/destinations", request)
            let id = try await studio.start(
                StartRequest(
                    sender: sender.id, destinations: [platform, endpoint.id], input: InputChoice(video: input), encoder: Studio.small()))
            try await studio.owner.wait(id, for: ["live"])
            // The platform was asked to publish exactly that key.
            let folder = studio.stage.folder.path
            try await eventually(within: .seconds(10), "the stream is recorded under its own name") {
                try FileManager.default.subpathsOfDirectory(atPath: folder).contains { $0.contains("filesink.location") }
            }
            try await eventually(within: .seconds(10), "SRT is recorded") {
                try FileManager.default.attributesOfItem(atPath: srt.recording)[.size] as? Int ?? 0 > 50_000
            }
            try await studio.stop(id)
            #expect(!FileManager.default.fileExists(atPath: Self.trap))
            for program in ["control", "pool", "sender"] { expectLog(try studio.installation.program(program).lines, of: program) }
        }
    }

    // MARK: Parts

    private struct Operation {
        let method: String
        let path: String
        let schema: String
        /// What its body may have.
        let fields: Set<String>
    }

    /// Every operation that takes a body, by the server's own description.
    private func operations(_ desk: FrontDesk) async throws -> [Operation] {
        let document = try await desk.visitor().get("/api/v1/openapi.json").object()
        let paths = try #require(document["paths"] as? [String: [String: [String: Any]]])
        let schemas = try #require((document["components"] as? [String: Any])?["schemas"] as? [String: [String: Any]])
        return paths.keys.sorted().flatMap { path in
            (paths[path] ?? [:]).keys.sorted().compactMap { method in
                let content = (paths[path]?[method]?["requestBody"] as? [String: Any])?["content"] as? [String: [String: [String: String]]]
                guard let schema = content?["application/json"]?["schema"]?["$ref"]?.split(separator: "/").last else { return nil }
                let fields = (schemas[String(schema)]?["properties"] as? [String: Any] ?? [:]).keys
                return Operation(method: method.uppercased(), path: path, schema: String(schema), fields: Set(fields))
            }
        }
    }

    /// A good body of each schema.
    private static func bodies(sender: String, destination: String) -> [String: [String: Any]] {
        let user = ["email": "n@example.org", "displayName": "New", "password": "a long password"]
        return [
            "RegisterRequest": user.merging(
                ["setupSecret": "s", "organizationName": "O", "organizationSlug": "oo"], uniquingKeysWith: { first, _ in first }),
            "LoginRequest": ["email": "n@example.org", "password": "a long password", "organization": "oo"],
            // Both are refused for what is not spoiled: the owner who asks stays the owner, with the same password.
            "ChangePasswordRequest": ["current": "another password", "password": "a long password"],
            "TransferRequest": ["user": sender, "password": "a long password"],
            "PasswordResetRequest": ["email": "n@example.org", "organization": "oo"],
            "InviteRequest": ["email": "n@example.org", "role": "member", "message": "M"],
            "InviteManyRequest": ["csv": "m@example.org,host", "role": "member", "message": "M"], "OfferRequest": ["token": "t"],
            "AcceptRequest": ["token": "t", "displayName": "New", "password": "a long password"],
            "NewPasswordRequest": ["token": "t", "password": "a long password"],
            "ChangeSettingsRequest": [
                "name": "N", "locale": "en-US", "registration": "invite_only", "terms": "T", "termsURL": "https://example.org",
            ],
            "ChangeBrandingRequest": [
                "mode": "dark", "brand": "#2563EB", "background": "", "text": "", "textOnPrimary": "", "videoBackground": "#1A1A1A",
                "border": "thin", "corners": "rounded", "logo": "", "icon": "",
            ],
            "ChangeWordingRequest": ["items": [["locale": "en-US", "key": "save", "text": "Keep"]]],
            "ChangeProfileRequest": ["displayName": "New", "avatar": ""],
            "ChangeEmailRequest": ["email": "n@example.org", "password": "a long password"], "ConfirmEmailRequest": ["token": "t"],
            "UploadRequest": ["sha256": String(repeating: "a", count: 64), "kind": "png", "bytes": 1],
            "DeleteOrganizationRequest": ["organization": "oo", "password": "a long password"],
            "RegistrationCodeRequest": ["organization": "oo", "code": "c"],
            "JoinRequest": ["organization": "oo", "code": "c", "email": "n@example.org"],
            "CreateAPITokenRequest": ["name": "N", "scopes": ["read"], "password": "a long password"],
            "CreateUserRequest": user.merging(["role": "member"], uniquingKeysWith: { first, _ in first }),
            "ChangeUserRequest": ["role": "member", "displayName": "New"],
            "CreateOrganizationRequest": [
                "name": "O", "slug": "oo", "ownerEmail": "n@example.org", "ownerDisplayName": "New", "ownerPassword": "a long password",
            ],
            "CreateTokenRequest": ["kind": "sender", "name": "N", "configuration": "[video]\ninput = \"test\"\n"],
            "EnrollRequest": ["token": "t", "publicKey": String(repeating: "A", count: 43), "name": "N", "kind": "sender"],
            "ChangeSenderRequest": ["name": "N"], "ChangeHostRequest": ["draining": true],
            "ChangeConfigurationRequest": ["toml": "[video]\ninput = \"test\"\n"],
            "ResetModemRequest": ["modem": "860000000000012"],
            "SpeedTestRequest": ["link": "eth0"], "PhoneHomeRequest": ["url": "https://127.0.0.1:1/"],
            "ServerUpdateRequest": ["move": "restore", "copy": "strata.db.before-1.1", "confirm": "x"],
            "DestinationRequest": [
                "name": "N", "url": "srt://192.0.2.1:9000", "secret": "0123456789", "streamID": "id", "srtMode": "caller",
            ],
            "StartRequest": [
                "sender": sender, "destinations": [destination], "input": ["video": "test", "audio": "test"], "links": ["eth0"],
            ],
            "RehearsalRequest": [
                "sender": sender, "input": ["video": "test", "audio": "test"], "links": ["eth0"], "protection": "balanced", "seconds": 10,
            ],
            "ChangeBroadcastRequest": ["input": ["video": "test", "audio": "test"]],
            "CreateRoomRequest": ["name": "N"], "RoomPassRequest": ["use": "join", "minutes": 10, "name": "Nina"],
            "CreateMeetingRequest": meeting, "ChangeMeetingRequest": meeting,
            "GuestLinkRequest": ["label": "N", "preset": "video_participant"],
            "MeetingLookupRequest": ["slug": "0123456789", "organization": "oo", "token": "t"],
            "GuestJoinRequest": ["slug": "0123456789", "organization": "oo", "token": "t", "name": "Nina"],
            "WaitingRequest": ["token": "t"],
            "CreateRolloutRequest": ["version": "1.4.0", "plan": plan(canary: sender)],
            "ChangeRolloutRequest": ["move": "pause"], "ChangeBoardUpdateRequest": ["channel": "beta"],
            "ChangeMeetingSettingsRequest": ["settings": ["guestAccess": "open"], "locked": ["chat"]],
            "RecordingSettings": ["policy": "asked", "keepDays": 30],
            "AddOutputRequest": ["destination": destination], "BringIntoRoomRequest": ["room": destination],
            "CreatePlayerLinkRequest": ["expiresInSeconds": 60],
            "RotateSecretRequest": ["overlapSeconds": 60],
            "WebhookRequest": ["url": "https://127.0.0.1:1/", "description": "N", "kinds": ["webhook.test"], "active": true],
            "PageErrorRequest": [
                "kind": "error", "name": "TypeError", "message": "m", "stack": "at f (https://a/b.js:1:2)", "path": "/",
                "trail": [["msAgo": 5, "text": "microphone: on"] as [String: Any]],
            ],
            "AlertsRequest": [
                "rules": [["kind": "silence"]], "byMail": false, "recovery": true, "webhookURL": "https://127.0.0.1:1/",
            ],
            "ErrorTrackingRequest": ["dsn": "https://k@127.0.0.1:1/4"],
        ]
    }

    private static var meeting: [String: Any] {
        [
            "title": "N", "description": "D", "type": "video", "scheduledStart": "2099-01-01T00:00:00.000Z",
            "scheduledEnd": "2099-01-01T01:00:00.000Z", "settings": ["guestAccess": "open"],
        ]
    }

    private static func plan(canary: String) -> [String: Any] {
        [
            "canaries": [canary], "percentages": [100], "soakSeconds": 0, "atOnce": 1, "failureCount": 1, "failurePercent": 0,
            "silenceSeconds": 600,
        ]
    }

    /// Every text of a body, by its path.
    private static func fields(of value: Any, at path: [String] = []) -> [[String]] {
        switch value {
        case is String: [path]
        case let members as [String: Any]: members.keys.sorted().flatMap { fields(of: members[$0] ?? 0, at: path + [$0]) }
        case let items as [Any]: items.indices.flatMap { fields(of: items[$0], at: path + [String($0)]) }
        default: []
        }
    }

    private static func spoiled(_ body: [String: Any], _ field: [String], _ text: String) -> (json: String, name: String) {
        func replaced(_ value: Any, _ path: ArraySlice<String>) -> Any {
            guard let step = path.first else { return text }
            if var members = value as? [String: Any] {
                members[step] = replaced(members[step] ?? 0, path.dropFirst())
                return members
            }
            var items = value as? [Any] ?? []
            if let index = Int(step), items.indices.contains(index) { items[index] = replaced(items[index], path.dropFirst()) }
            return items
        }
        let data = try? JSONSerialization.data(withJSONObject: replaced(body, field[...]))
        return (String(decoding: data ?? Data(), as: UTF8.self), field.joined(separator: "."))
    }

    /// - Parameter fields: those that the request may have: what is wrong is told by one of them, or of what it has beside them.
    private func judge(_ answer: Reply, _ what: String, _ text: String, fields: Set<String>) {
        let shown = "\(what) with \(text.prefix(60).debugDescription) was answered with \(answer)"
        #expect([200, 201, 400, 401, 403, 404, 409, 410, 422, 429, 503].contains(answer.status), "\(shown)")
        #expect(
            answer.headers["content-type"]?.hasSuffix("json") == true && answer.headers["x-content-type-options"] == "nosniff", "\(shown)")
        #expect(!answer.headers.all("set-cookie").contains { $0.contains("a=b") }, "\(shown)")
        for fault in (try? answer.object()["faults"]) as? [[String: String]] ?? [] where fault["expected"] != "no such field" {
            #expect(fields.contains(String(fault["field", default: ""].prefix { $0 != "." && $0 != "[" })), "\(fault): \(shown)")
        }
        #expect((try? answer.object()) != nil && String(decoding: answer.body, as: UTF8.self).isPlain, "\(shown)")
    }

    /// Nothing was executed, the server is well, and its log is what it was.
    private func expectSound(_ desk: FrontDesk, _ owner: Visitor) async throws {
        #expect(!FileManager.default.fileExists(atPath: Self.trap))
        for path in [
            "/senders", "/destinations", "/broadcasts", "/users", "/audit", "/enrollment-tokens", "/auth/sessions", "/pool", "/webhooks",
            "/diagnostics/deliveries", "/meetings",
        ] {
            let answer = try await owner.get(path)
            #expect(answer.status == 200 && String(decoding: answer.body, as: UTF8.self).isPlain, "\(path): \(answer)")
        }
        #expect(try await desk.visitor().get("/health").status == 200)
        expectLog(try desk.installation.program("control").lines, of: "control")
    }

    private func expectLog(_ lines: [String], of program: String) {
        #expect(!lines.isEmpty)
        for line in lines {
            let object = try? JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
            #expect(object?["message"] is String && line.isPlain, "\(program) wrote \(line.debugDescription)")
        }
    }

    /// What curl got, with the status behind it.
    private func curl(_ desk: FrontDesk, _ who: Visitor?, _ words: [String], _ path: String) async throws -> String {
        let bearer = who?.token.map { ["-H", "Authorization: Bearer \($0)"] } ?? []
        return try await runTool(
            "curl", ["-s", "-m", "10", "-w", "%{http_code}"] + bearer + words + ["\(desk.server)/api/v1\(path)"], mayFail: true
        ).text
    }

    private static let hostile = "\u{1b}[2J\u{9b}31m\u{202e}" + String(repeating: "<script>\u{0}\r\n", count: 400)

    /// What no board could reach is refused with what is wrong and where, to the host and in control's log.
    private func refusedHosts(_ desk: FrontDesk) async throws {
        let all = PortRange(first: 1, last: 65_535)
        for (addresses, ports, words) in [
            ([""], all, "hello.addresses[0]: expected an IPv4 address"), ([], all, "hello.addresses: expected at least one"),
            (["10.0.0.1; rm -rf /"], all, "not '10.0.0.1; rm -rf /'"), ([Self.hostile], all, "hello.addresses[0]: expected"),
            (["192.0.2.1"], PortRange(first: Int.min, last: Int.max), "hello.portRange: expected ports of 1 to 65535"),
        ] {
            let socket = try await host(desk, addresses, ports)
            // try?: how it ends is what is looked at.
            while (try? await socket.receive()) != nil {}
            #expect(
                socket.closeCode?.rawValue == 1008 && socket.closeReason?.contains(words.prefix(60)) == true
                    && socket.closeReason?.isPlain == true)
            try await eventually(within: .seconds(2), "control's log has it") { try desk.said.contains(words) }
        }
    }

    /// A pool host of which nothing is as it should be, but where it is reached.
    private func host(
        _ desk: FrontDesk, _ addresses: [String] = ["192.0.2.1", "$(id)", "live.example.org"],
        _ ports: PortRange = PortRange(first: 1, last: 65_535)
    ) async throws -> WebSocket {
        let text = Self.hostile
        let token = try await desk.operating().post("/operator/enrollment-tokens", #"{"kind":"pool"}"#).text("token")
        let key = try Ed25519PrivateKey.generate()
        let device = try await RawBoard.redeem(token, key: key, name: "hostile", kind: .pool, at: desk).text("device")
        let raw = try await RawBoard(at: desk, key: key, device: device, kind: .pool).prove()
        try await raw.send(
            PoolMessage.hello(
                PoolHello(
                    poolVersion: text, addresses: addresses, portRange: ports, capacity: Int.max, leases: [])))
        return raw
    }

    /// Refuses every lease with a text that nobody should see as it is.
    private static func answerHostile(_ socket: WebSocket) async throws {
        let text = String(repeating: "\u{1b}[2J\u{202e}\u{9b}", count: 1000)
        while case .text(let message)? = try await socket.receive() {
            let command = try JSONDecoder().decode(Command<PoolOrder>.self, from: Data(message.utf8))
            let result: CommandOutcome.Result = if case .lease = command.order { .refused } else { .done }
            try await socket.send(
                PoolMessage.outcome(CommandOutcome(id: command.id, result: result, step: text, reason: text, port: Int.max)))
        }
    }
}
