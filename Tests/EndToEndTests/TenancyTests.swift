import Foundation
import Support
import Testing
import Units
import Web
import Wire

/// Every route of the API's own description, as nobody, as each role, and as another organisation (THREATS 14).
@Suite(.serialized, .unlessStolen)
struct TenancyTests {
    private enum Reach: String { case open, member, host, admin, owner, `operator` }

    /// Who may call what: written here a second time on purpose.
    private static let matrix: [String: Reach] = [
        "GET /health": .open, "GET /api/v1/openapi.json": .open, "GET /api/v1/setup": .open, "GET /api/v1/config": .open,
        "GET /api/v1/live": .open,
        "GET /api/v1/devices/connect": .open, "POST /api/v1/errors": .open, "POST /api/v1/enroll": .open,
        "POST /api/v1/auth/register": .open,
        "POST /api/v1/auth/login": .open, "POST /api/v1/auth/refresh": .open, "POST /api/v1/auth/password-reset": .open,
        "POST /api/v1/auth/invitation": .open, "POST /api/v1/auth/invitation/accept": .open, "GET /api/v1/invitations": .admin,
        "POST /api/v1/invitations": .admin, "POST /api/v1/invitations/csv": .admin,
        "POST /api/v1/invitations/{id}/resend": .admin, "DELETE /api/v1/invitations/{id}": .admin,
        "PUT /api/v1/auth/password-reset": .open, "POST /api/v1/users/{id}/password-reset": .admin,
        "DELETE /api/v1/organization": .owner, "GET /api/v1/organization/settings": .admin, "PATCH /api/v1/organization/settings": .admin,
        "POST /api/v1/auth/registration": .open, "POST /api/v1/auth/registration/request": .open,
        "GET /api/v1/api-tokens": .member, "POST /api/v1/api-tokens": .member, "DELETE /api/v1/api-tokens/{id}": .member,
        "POST /api/v1/auth/logout": .member, "GET /api/v1/auth/me": .member, "GET /api/v1/auth/sessions": .member,
        "DELETE /api/v1/auth/sessions/{id}": .member, "DELETE /api/v1/auth/sessions": .member, "PUT /api/v1/auth/password": .member,
        "PUT /api/v1/organization/owner": .owner, "POST /api/v1/auth/ticket": .member, "GET /api/v1/organization": .member,
        "GET /api/v1/organization/slate": .member, "PUT /api/v1/organization/slate": .admin, "DELETE /api/v1/organization/slate": .admin,
        "GET /api/v1/organization/wording": .member, "GET /api/v1/organization/usage": .admin, "PATCH /api/v1/organization/wording": .admin,
        "GET /api/v1/organization/branding": .member, "PATCH /api/v1/organization/branding": .admin,
        "POST /api/v1/organization/branding/upload": .admin, "GET /api/v1/blobs/branding/{organization}/{name}": .open,
        "PUT /api/v1/blobs/branding/{organization}/{name}": .admin, "GET /api/v1/blobs/avatars/{organization}/{name}": .open,
        "PUT /api/v1/blobs/avatars/{organization}/{name}": .member, "PATCH /api/v1/auth/me": .member,
        "POST /api/v1/auth/me/avatar": .member, "POST /api/v1/auth/me/email": .member, "PUT /api/v1/auth/email": .open,
        "GET /api/v1/auth/me/alerts": .member, "PUT /api/v1/auth/me/alerts": .member, "GET /api/v1/auth/me/incidents": .member,
        "GET /api/v1/users": .admin, "POST /api/v1/users": .admin, "PATCH /api/v1/users/{id}": .admin, "DELETE /api/v1/users/{id}": .admin,
        "GET /api/v1/audit": .admin,
        "GET /api/v1/diagnostics/health": .admin, "POST /api/v1/diagnostics/health": .admin, "GET /api/v1/diagnostics/snapshots": .admin,
        "GET /api/v1/diagnostics/error-tracking": .owner, "PUT /api/v1/diagnostics/error-tracking": .owner,
        "GET /api/v1/diagnostics/phone-home": .owner, "PUT /api/v1/diagnostics/phone-home": .owner,
        "POST /api/v1/diagnostics/phone-home": .owner, "GET /api/v1/diagnostics/meetings": .admin,
        "GET /api/v1/diagnostics/versions": .admin, "GET /api/v1/analytics/days": .admin, "GET /api/v1/organization/storage": .admin,
        "GET /api/v1/operator/error-tracking": .operator, "PUT /api/v1/operator/error-tracking": .operator,
        "GET /api/v1/pool": .admin, "PATCH /api/v1/pool/{id}": .admin,
        "GET /api/v1/enrollment-tokens": .admin, "POST /api/v1/enrollment-tokens": .admin, "DELETE /api/v1/enrollment-tokens/{id}": .admin,
        "GET /api/v1/senders": .member, "GET /api/v1/senders/{id}": .member, "PATCH /api/v1/senders/{id}": .admin,
        "DELETE /api/v1/senders/{id}": .admin, "GET /api/v1/senders/{id}/configurations": .member,
        "PUT /api/v1/senders/{id}/configuration": .admin, "POST /api/v1/senders/{id}/modem-reset": .host,
        "GET /api/v1/senders/{id}/picture": .host, "POST /api/v1/senders/{id}/speed-test": .host, "GET /api/v1/devices/speed-test": .open,
        "GET /api/v1/preview": .open, "GET /api/v1/devices/preview": .open, "GET /api/v1/broadcasts/{id}/players": .host,
        "POST /api/v1/broadcasts/{id}/players": .host, "DELETE /api/v1/broadcasts/{id}/players/{player}": .host,
        "GET /api/v1/players/{token}/{file}": .open, "GET /api/v1/releases/{release}": .open,
        "GET /api/v1/releases": .owner, "GET /api/v1/rollouts": .owner, "POST /api/v1/rollouts": .owner,
        "GET /api/v1/rollouts/{id}": .owner, "PATCH /api/v1/rollouts/{id}": .owner, "GET /api/v1/senders/{id}/updates": .member,
        "PUT /api/v1/senders/{id}/updates": .owner, "GET /api/v1/devices/updates": .open,
        "GET /api/v1/server/updates": .owner, "POST /api/v1/server/updates": .owner,
        "GET /api/v1/destinations": .host, "GET /api/v1/destinations/{id}": .host, "POST /api/v1/destinations": .admin,
        "PUT /api/v1/destinations/{id}": .admin, "DELETE /api/v1/destinations/{id}": .admin,
        "POST /api/v1/destinations/{id}/test": .admin,
        "GET /api/v1/broadcasts": .member, "GET /api/v1/broadcasts/{id}": .member,
        "GET /api/v1/broadcasts/{id}/events": .member, "GET /api/v1/broadcasts/{id}/recorder": .member,
        "GET /api/v1/broadcasts/{id}/thumbnail": .member, "POST /api/v1/broadcasts": .host,
        "PATCH /api/v1/broadcasts/{id}": .host, "POST /api/v1/broadcasts/{id}/stop": .host,
        "POST /api/v1/broadcasts/{id}/outputs": .host, "DELETE /api/v1/broadcasts/{id}/outputs/{output}": .host,
        "POST /api/v1/broadcasts/{id}/outputs/{output}/retry": .host, "POST /api/v1/broadcasts/{id}/rooms": .host,
        "GET /api/v1/rehearsals": .member, "POST /api/v1/rehearsals": .host, "GET /api/v1/rehearsals/{id}": .member,
        "POST /api/v1/rehearsals/{id}/stop": .host,
        "GET /api/v1/rooms": .member, "POST /api/v1/rooms": .host, "DELETE /api/v1/rooms/{id}": .host,
        "POST /api/v1/rooms/{id}/passes": .host, "POST /api/v1/rooms/{id}/tickets": .member, "GET /api/v1/join": .open,
        "GET /api/v1/network-test": .open,
        "POST /whip/{id}": .open, "PATCH /whip/{id}/{peer}": .open, "DELETE /whip/{id}/{peer}": .open,
        "POST /whep/{id}": .open, "PATCH /whep/{id}/{peer}": .open, "DELETE /whep/{id}/{peer}": .open,
        "GET /api/v1/meetings": .member, "GET /api/v1/meetings/{id}": .member, "GET /api/v1/meeting-presets": .member,
        "POST /api/v1/meetings": .host, "PATCH /api/v1/meetings/{id}": .host, "POST /api/v1/meetings/{id}/start": .host,
        "POST /api/v1/meetings/{id}/end": .host, "POST /api/v1/meetings/{id}/cancel": .host,
        "GET /api/v1/meetings/{id}/guest-links": .host, "POST /api/v1/meetings/{id}/guest-links": .host,
        "DELETE /api/v1/meetings/{id}/guest-links/{link}": .host, "POST /api/v1/join/lookup": .open,
        "POST /api/v1/join/guest": .open, "POST /api/v1/join/waiting": .open, "POST /api/v1/meetings/{id}/join": .member,
        "POST /api/v1/meetings/{id}/waiting/admit": .host,
        "GET /api/v1/meetings/{id}/events": .host, "GET /api/v1/meetings/{id}/chat": .host,
        "GET /api/v1/meetings/{id}/waiting": .host, "POST /api/v1/meetings/{id}/waiting/{guest}/admit": .host,
        "DELETE /api/v1/meetings/{id}/waiting/{guest}": .host,
        "GET /api/v1/organization/meeting-settings": .member, "PUT /api/v1/organization/meeting-settings": .admin,
        "GET /api/v1/recordings": .member, "GET /api/v1/recordings/{id}": .member, "DELETE /api/v1/recordings/{id}": .admin,
        "POST /api/v1/recordings/{id}/links": .member, "GET /api/v1/organization/recording-settings": .member,
        "PUT /api/v1/organization/recording-settings": .admin, "GET /api/v1/devices/recording": .open,
        "GET /api/v1/objects/org/{organization}/sessions/{session}/composite/{object}": .open,
        "GET /api/v1/webhooks": .admin, "POST /api/v1/webhooks": .admin, "GET /api/v1/webhooks/events": .admin,
        "GET /api/v1/webhooks/{id}": .admin, "PUT /api/v1/webhooks/{id}": .admin, "DELETE /api/v1/webhooks/{id}": .admin,
        "POST /api/v1/webhooks/{id}/secret": .admin, "POST /api/v1/webhooks/{id}/test": .admin,
        "GET /api/v1/webhooks/{id}/deliveries": .admin, "GET /api/v1/diagnostics/deliveries": .admin,
        "GET /api/v1/diagnostics/deliveries/{id}": .admin, "POST /api/v1/diagnostics/deliveries/{id}/replay": .admin,
        "POST /api/v1/operator/organizations": .operator, "POST /api/v1/operator/enrollment-tokens": .operator,
        "GET /api/v1/operator/pool": .operator, "PATCH /api/v1/operator/pool/{id}": .operator,
        "DELETE /api/v1/operator/pool/{id}": .operator, "GET /api/v1/operator/audit": .operator, "GET /metrics": .operator,
    ]

    /// Bodies that fit, for what another organisation tries.
    private static let bodies = [
        "POST /api/v1/rooms/{id}/passes": #"{"use":"play"}"#,
        "PATCH /api/v1/meetings/{id}": #"{"title":"taken"}"#, "PATCH /api/v1/rollouts/{id}": #"{"move":"pause"}"#,
        "PUT /api/v1/senders/{id}/updates": #"{"channel":"edge"}"#,
        "POST /api/v1/meetings/{id}/guest-links": #"{"label":"mine"}"#,
        "PATCH /api/v1/users/{id}": #"{"displayName":"Taken over"}"#, "PATCH /api/v1/senders/{id}": #"{"name":"taken"}"#,
        "PUT /api/v1/senders/{id}/configuration": #"{"toml":""}"#, "PATCH /api/v1/pool/{id}": #"{"draining":true}"#,
        "POST /api/v1/senders/{id}/modem-reset": #"{"modem":"860000000000012","force":true}"#,
        "POST /api/v1/senders/{id}/speed-test": #"{"link":"eth0"}"#,
        "PUT /api/v1/destinations/{id}": #"{"name":"taken","preset":"twitch","secret":"k"}"#,
        "PATCH /api/v1/broadcasts/{id}": #"{"bitrate":1000000}"#,
        "PUT /api/v1/webhooks/{id}": #"{"url":"https://example.org/","description":"taken","active":true}"#,
        "POST /api/v1/webhooks/{id}/secret": "{}", "POST /api/v1/broadcasts/{id}/players": "{}",
        "POST /api/v1/broadcasts/{id}/outputs": #"{"destination":"01ARZ3NDEKTSV4RRFFQ69G5FAV"}"#,
        "POST /api/v1/broadcasts/{id}/rooms": #"{"room":"01ARZ3NDEKTSV4RRFFQ69G5FAV"}"#,
    ]

    private static let nobodys = "01ARZ3NDEKTSV4RRFFQ69G5FAV"

    @Test("each role does exactly what it may on every route there is", .row("SEC-07", "CTL-08"))
    func roles() async throws {
        try await atFrontDesk { desk in
            let owner = try await desk.owner()
            let people: [(Role, Visitor)] = [
                (.member, try await user(.member, of: owner, at: desk).0), (.host, try await user(.host, of: owner, at: desk).0),
                (.admin, try await user(.admin, of: owner, at: desk).0), (.owner, owner),
            ]
            let routes = try await described(desk)
            #expect(Set(routes) == Set(Self.matrix.keys))
            let stranger = desk.visitor()
            // Last, because it ends the session.
            for route in routes.filter({ !$0.hasSuffix("/logout") }) + routes.filter({ $0.hasSuffix("/logout") }) {
                guard let reach = Self.matrix[route], reach != .open else { continue }
                let asStranger = try await call(route, by: stranger)
                #expect(asStranger.status == 401 && asStranger.problem != nil, "\(route) as a stranger: \(asStranger)")
                for (role, person) in people {
                    let answer = try await call(route, by: person)
                    let expected = reach == .operator ? [401] : role >= lowest(reach) ? [200, 201, 204, 404, 409, 415, 422] : [403]
                    #expect(expected.contains(answer.status), "\(route) as \(role): \(answer)")
                }
            }
            let operating = try desk.operating()
            for (route, reach) in Self.matrix.sorted(by: { $0.key < $1.key }) where reach != .open {
                let answer = try await call(route, by: operating)
                #expect((answer.status == 401) == (reach != .operator), "\(route) as the operator: \(answer)")
            }
        }
    }

    /// What an API token of the owner's opens by its one scope, beside `whoami`.
    private static let scopes: [String: Set<String>] = [
        "read": [
            "GET /api/v1/senders", "GET /api/v1/senders/{id}", "GET /api/v1/senders/{id}/updates",
            "GET /api/v1/senders/{id}/configurations", "GET /api/v1/destinations",
            "GET /api/v1/destinations/{id}", "GET /api/v1/broadcasts", "GET /api/v1/broadcasts/{id}",
            "GET /api/v1/broadcasts/{id}/events", "GET /api/v1/broadcasts/{id}/recorder", "GET /api/v1/broadcasts/{id}/thumbnail",
            "GET /api/v1/rehearsals", "GET /api/v1/rehearsals/{id}", "GET /api/v1/rooms",
            "GET /api/v1/meetings", "GET /api/v1/meetings/{id}", "GET /api/v1/meeting-presets",
            "GET /api/v1/organization/meeting-settings", "GET /api/v1/organization/recording-settings",
            "GET /api/v1/recordings", "GET /api/v1/recordings/{id}", "POST /api/v1/recordings/{id}/links",
            "GET /api/v1/diagnostics/health", "POST /api/v1/diagnostics/health", "GET /api/v1/diagnostics/snapshots", "GET /api/v1/pool",
            "GET /api/v1/diagnostics/meetings", "GET /api/v1/diagnostics/versions", "GET /api/v1/analytics/days",
        ],
        "broadcasts": [
            "GET /api/v1/senders", "GET /api/v1/senders/{id}", "GET /api/v1/senders/{id}/updates",
            "GET /api/v1/senders/{id}/configurations", "GET /api/v1/destinations",
            "GET /api/v1/destinations/{id}", "GET /api/v1/broadcasts", "GET /api/v1/broadcasts/{id}",
            "GET /api/v1/broadcasts/{id}/events", "GET /api/v1/broadcasts/{id}/recorder", "GET /api/v1/broadcasts/{id}/thumbnail",
            "GET /api/v1/rehearsals", "GET /api/v1/rehearsals/{id}", "GET /api/v1/rooms", "POST /api/v1/rooms",
            "DELETE /api/v1/rooms/{id}", "POST /api/v1/rooms/{id}/passes", "POST /api/v1/broadcasts", "PATCH /api/v1/broadcasts/{id}",
            "POST /api/v1/broadcasts/{id}/stop",
            "POST /api/v1/broadcasts/{id}/outputs", "DELETE /api/v1/broadcasts/{id}/outputs/{output}",
            "POST /api/v1/broadcasts/{id}/outputs/{output}/retry", "POST /api/v1/broadcasts/{id}/rooms", "POST /api/v1/rehearsals",
            "POST /api/v1/rehearsals/{id}/stop",
            "POST /api/v1/senders/{id}/modem-reset", "POST /api/v1/senders/{id}/speed-test", "GET /api/v1/senders/{id}/picture",
            "GET /api/v1/broadcasts/{id}/players", "POST /api/v1/broadcasts/{id}/players",
            "DELETE /api/v1/broadcasts/{id}/players/{player}",
            "GET /api/v1/meetings", "GET /api/v1/meetings/{id}", "GET /api/v1/meeting-presets",
            "GET /api/v1/organization/meeting-settings", "GET /api/v1/organization/recording-settings",
            "GET /api/v1/recordings", "GET /api/v1/recordings/{id}", "POST /api/v1/recordings/{id}/links",
            "POST /api/v1/meetings", "PATCH /api/v1/meetings/{id}", "POST /api/v1/meetings/{id}/start", "POST /api/v1/meetings/{id}/end",
            "POST /api/v1/meetings/{id}/cancel", "GET /api/v1/meetings/{id}/guest-links", "POST /api/v1/meetings/{id}/guest-links",
            "DELETE /api/v1/meetings/{id}/guest-links/{link}", "GET /api/v1/meetings/{id}/waiting",
            "GET /api/v1/meetings/{id}/events", "GET /api/v1/meetings/{id}/chat", "POST /api/v1/meetings/{id}/waiting/admit",
            "POST /api/v1/meetings/{id}/waiting/{guest}/admit", "DELETE /api/v1/meetings/{id}/waiting/{guest}",
        ],
        "senders": [
            "GET /api/v1/senders", "GET /api/v1/senders/{id}", "GET /api/v1/senders/{id}/updates",
            "GET /api/v1/senders/{id}/configurations", "PATCH /api/v1/senders/{id}",
            "DELETE /api/v1/senders/{id}", "PUT /api/v1/senders/{id}/configuration", "POST /api/v1/senders/{id}/modem-reset",
            "POST /api/v1/senders/{id}/speed-test", "GET /api/v1/senders/{id}/picture", "GET /api/v1/enrollment-tokens",
            "POST /api/v1/enrollment-tokens",
            "DELETE /api/v1/enrollment-tokens/{id}",
        ],
        "destinations": [
            "GET /api/v1/destinations", "GET /api/v1/destinations/{id}", "POST /api/v1/destinations", "PUT /api/v1/destinations/{id}",
            "DELETE /api/v1/destinations/{id}", "POST /api/v1/destinations/{id}/test",
        ],
        "members": [
            "GET /api/v1/users", "PATCH /api/v1/users/{id}", "DELETE /api/v1/users/{id}", "GET /api/v1/invitations",
            "POST /api/v1/invitations", "POST /api/v1/invitations/csv", "POST /api/v1/invitations/{id}/resend",
            "DELETE /api/v1/invitations/{id}",
        ],
        "audit": ["GET /api/v1/audit"],
    ]

    @Test("an API token opens the routes of its scopes and no other, as the description says, and is named where it did something")
    func tokens() async throws {
        try await atFrontDesk({ $0.logLevel = "trace" }) { desk in
            let owner = try await desk.owner()
            func make(_ scope: String, _ password: String, by visitor: Visitor) async throws -> Reply {
                try await visitor.post("/api-tokens", #"{"name":"\#(scope)","scopes":["\#(scope)"],"password":"\#(password)"}"#)
            }
            #expect(try await make("read", "a wrong password", by: owner).fields == ["password"])
            let always: Set<String> = [
                "GET /api/v1/auth/me", "GET /api/v1/organization", "GET /api/v1/organization/slate",
                "GET /api/v1/organization/branding", "GET /api/v1/organization/wording",
            ]
            let secured = try await proofs(desk)
            #expect(Set(secured.keys) == Set(Self.matrix.filter { $0.value != .open }.keys))
            var ids: [String: String] = [:]
            for (scope, opened) in Self.scopes {
                let made = try await make(scope, desk.installation.ownerPassword, by: owner)
                #expect(made.status == 201, "\(made)")
                let program = desk.visitor()
                program.token = try made.text("token")
                ids[scope] = try made.text("id")
                for (route, proofs) in secured {
                    let answer = try await call(route, by: program)
                    let isOpened = opened.union(always).contains(route)
                    let expected = Self.matrix[route] == .operator ? [401] : isOpened ? [200, 201, 204, 404, 409, 415, 422] : [403]
                    #expect(expected.contains(answer.status), "\(route) by a token for \(scope): \(answer)")
                    #expect(proofs.contains(scope) == isOpened, "\(route) is described as one for \(proofs)")
                }
                if scope == "destinations" {
                    #expect(try await program.post("/destinations", #"{"name":"d","preset":"twitch","secret":"k"}"#).status == 201)
                }
                #expect(try !desk.said.contains(try #require(program.token)))
            }
            let entry = try await owner.get("/audit").items().first { $0["action"] as? String == "destination.created" }
            let ownerID = try await owner.get("/auth/me").text("id")
            #expect(entry?["token"] as? String == ids["destinations"] && entry?["author"] as? String == ownerID)
            let listed = try await owner.get("/api-tokens")
            #expect(
                try listed.items().count == Self.scopes.count && listed.items().allSatisfy { $0["lastAddress"] as? String == "127.0.0.1" })
            #expect(!String(decoding: listed.body, as: UTF8.self).contains("strata_"))
            try await leaving(desk, owner)
        }
    }

    /// The token of somebody who is shut out, and of somebody who has less to say by now.
    private func leaving(_ desk: FrontDesk, _ owner: Visitor) async throws {
        let (host, id) = try await user(.host, of: owner, at: desk)
        let program = desk.visitor()
        let made = try await host.post("/api-tokens", #"{"name":"B","scopes":["broadcasts"],"password":"a long password"}"#)
        program.token = try made.text("token")
        let stop = "/broadcasts/\(Self.nobodys)/stop"
        #expect(try await program.post(stop).status == 404)
        #expect(try await owner.send("PATCH", "/users/\(id)", #"{"role":"member"}"#).status == 200)
        #expect(try await program.post(stop).status == 403)
        #expect(try await owner.send("PATCH", "/users/\(id)", #"{"active":false}"#).status == 200)
        #expect(try await program.post(stop).status == 401)
        #expect(try await owner.send("PATCH", "/users/\(id)", #"{"active":true,"role":"host"}"#).status == 200)
        #expect(try await program.post(stop).problem == "not-signed-in")
    }

    @Test("for another organisation nothing of the first one exists", .row("CTL-11", "CTL-08"))
    func strangers() async throws {
        try await atFrontDesk { desk in
            let owner = try await desk.owner()
            let other = try await desk.stranger()
            let destination = try await owner.post("/destinations", #"{"name":"ours","url":"rtmp://127.0.0.1/app","secret":"key"}"#).text(
                "id")
            let open = try await owner.post("/enrollment-tokens", #"{"kind":"sender"}"#).text("id")
            let board = try await desk.board(of: owner, name: "ours")
            let socket = try await board.connect()
            let outcomes = Task { try await RawBoard.answerAll(socket, .refused) }
            defer { outcomes.cancel() }
            let sender = board.identity.device.text
            try await eventually(within: .seconds(5), "the board is online") {
                try await owner.get("/senders/\(sender)").object()["online"] as? Bool == true
            }
            #expect(try await owner.send("PUT", "/senders/\(sender)/configuration", #"{"toml":"[video]\nwidth = 640"}"#).status == 200)
            let start = #"{"sender":"\#(sender)","destinations":["\#(destination)"],"record":true}"#
            // It makes way for the broadcast, and stays in the list.
            let rehearsal = try await owner.post("/rehearsals", #"{"sender":"\#(sender)"}"#).text("id")
            let broadcast = try await owner.post("/broadcasts", start)
            #expect(try await owner.get("/rehearsals/\(rehearsal)").text("state") == "ended")
            #expect(try await owner.get("/broadcasts/\(rehearsal)").status == 404)
            let room = try await owner.post("/rooms", #"{"name":"Studio"}"#).text("id")
            let meeting = try await owner.post("/meetings", #"{"title":"Stand-up"}"#).text("id")
            let release = try RolloutRouteTests.publish("1.4.0", at: desk)
            let rollout = try await owner.post("/rollouts", RolloutRouteTests.request(release)).text("id")
            let host = try await desk.host("host")
            let pool = try await eventually(within: .seconds(5), "the host is listed") {
                try await owner.get("/pool").items().first?["id"] as? String
            }
            let webhook = try await owner.post(
                "/webhooks", #"{"url":"https://127.0.0.1:1/","description":"ours","kinds":["webhook.test"],"active":true}"#
            ).text("id")
            let ids = [
                "webhooks": webhook, "deliveries": try await owner.post("/webhooks/\(webhook)/test").text("id"),
                "users": try await owner.get("/auth/me").text("id"),
                "api-tokens": try await owner.post(
                    "/api-tokens", #"{"name":"T","scopes":["read"],"password":"\#(desk.installation.ownerPassword)"}"#
                ).text("id"),
                "invitations": try await owner.post("/invitations", #"{"email":"i@example.org","role":"host"}"#).text("id"),
                "sessions": try #require(try await owner.get("/auth/sessions").items().first?["id"] as? String),
                "enrollment-tokens": open, "senders": sender, "destinations": destination, "pool": pool,
                "broadcasts": try broadcast.text("id"), "rehearsals": rehearsal, "rooms": room, "meetings": meeting,
                "rollouts": rollout, "recordings": try #require(try await owner.get("/recordings").items().first?["id"] as? String),
                "output": try #require((try broadcast.object()["outputs"] as? [[String: Any]])?.first?["id"] as? String),
            ]

            // The doors of rooms ask for a pass, whoever comes: WHIPProtocolTests.
            let routes = try await described(desk).filter { Self.matrix[$0] != .open }
            for route in routes where route.contains("{id}") && !route.contains("/operator/") {
                let parts = route.split(separator: "/").map(String.init)
                let kind = try #require(parts.firstIndex(of: "{id}").map { parts[$0 - 1] })
                let id = try #require(ids[kind], "no id for \(route)")
                let answer = try await call(route, by: other, id: id, output: ids["output"])
                #expect(answer.status == 404, "\(route) as another organisation: \(answer)")
                // Its own broadcasts cannot take them in either.
                let unknown = try await call(route, by: other, id: Self.nobodys, output: ids["output"])
                #expect(unknown.status == 404 && unknown.problem == answer.problem, "\(route) for an unknown id: \(unknown)")
            }
            #expect(try await other.post("/broadcasts", start).status == 404)
            #expect(try await other.post("/enrollment-tokens", #"{"kind":"sender","sender":"\#(sender)"}"#).status == 404)
            #expect(try await other.post("/rehearsals", #"{"sender":"\#(sender)"}"#).status == 404)
            for list in [
                "/users", "/senders", "/destinations", "/broadcasts", "/enrollment-tokens", "/audit", "/auth/sessions", "/invitations",
                "/api-tokens", "/webhooks", "/diagnostics/deliveries", "/rehearsals", "/rooms", "/meetings", "/rollouts",
                "/diagnostics/meetings", "/recordings",
            ] {
                let shown = String(decoding: try await other.get(list).body, as: UTF8.self)
                for (kind, id) in ids { #expect(!shown.contains(id), "\(list) shows one of the \(kind)") }
            }
            try await feedIsOwn(desk, owner, other, socket)
            // And nothing was changed by the attempts.
            #expect(try await owner.get("/destinations/\(destination)").text("name") == "ours")
            #expect(try await owner.get("/senders/\(sender)").text("name") == "ours")
            #expect(try await owner.get("/pool").items().map { $0["draining"] as? Bool } == [false])
            await host.close()
        }
    }

    /// The other organisation's live feed has none of the first one's topics.
    private func feedIsOwn(_ desk: FrontDesk, _ owner: Visitor, _ other: Visitor, _ socket: WebSocket) async throws {
        let (ours, theirs) = (try await owner.watch(), try await other.watch())
        // Their own board appears last: whatever came before it was for them.
        let board = try await desk.board(of: other, name: "theirs")
        try await socket.send(AgentMessage.telemetry(AgentTelemetry(atMs: 1, links: [], pipeline: nil)))
        let theirSocket = try await board.connect()
        func topics(_ socket: WebSocket, until last: String) async throws -> Set<String> {
            var topics: Set<String> = []
            while !topics.contains(last), case .text(let text)? = try await socket.receive() {
                let update = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
                topics.insert(update?["topic"] as? String ?? "")
            }
            return topics
        }
        let own = "sender/\(board.identity.device)"
        // Their board may appear before or after the end of what there was at first.
        let seen = try await topics(theirs, until: own)
        #expect(seen.isSubset(of: ["all", "whole", own]), "\(seen)")
        let sender = try await owner.get("/senders").items().first?["id"] as? String ?? ""
        #expect(try await topics(ours, until: "telemetry/\(sender)").contains("sender/\(sender)"))
        for socket in [ours, theirs, theirSocket] { await socket.close() }
    }

    // MARK: Parts

    private func lowest(_ reach: Reach) -> Role { Role(rawValue: reach.rawValue) ?? .owner }

    /// `GET /api/v1/senders/{id}` and so on.
    private func described(_ desk: FrontDesk) async throws -> [String] {
        let document = try await desk.visitor().get("/openapi.json").object()
        let paths = try #require(document["paths"] as? [String: [String: Any]])
        return paths.flatMap { path, operations in operations.keys.map { "\($0.uppercased()) \(path)" } }.sorted()
    }

    /// What the description says lets a request of a route in: `session`, or the scopes of API tokens.
    private func proofs(_ desk: FrontDesk) async throws -> [String: Set<String>] {
        let document = try await desk.visitor().get("/openapi.json").object()
        let paths = try #require(document["paths"] as? [String: [String: [String: Any]]])
        var result: [String: Set<String>] = [:]
        for (path, operations) in paths {
            for (method, operation) in operations {
                let proofs = try #require(operation["security"] as? [[String: [String]]])
                if !proofs.isEmpty { result["\(method.uppercased()) \(path)"] = Set(proofs.flatMap { $0["apiToken"] ?? ["session"] }) }
            }
        }
        return result
    }

    private func call(_ route: String, by visitor: Visitor, id: String = nobodys, output: String? = nil) async throws -> Reply {
        let parts = route.split(separator: " ")
        let path = parts[1].replacingOccurrences(of: "{id}", with: id).replacingOccurrences(of: "{output}", with: output ?? Self.nobodys)
            .replacingOccurrences(of: "{organization}", with: Self.nobodys).replacingOccurrences(of: "{player}", with: Self.nobodys)
            .replacingOccurrences(of: "{link}", with: Self.nobodys).replacingOccurrences(of: "{guest}", with: Self.nobodys)
            .replacingOccurrences(of: "/picture", with: "/picture?input=test")
            .replacingOccurrences(of: "{name}", with: String(repeating: "a", count: 64) + ".png")
        return try await visitor.send(String(parts[0]), path, Self.bodies[route])
    }
}
