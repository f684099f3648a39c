import Foundation
import Support
import Testing
import Units
import Wire

/// How people become users of an organisation.
@Suite(.serialized, .unlessStolen)
struct InvitationTests {
    @Test(
        "who is invited comes in by the mail's link, as what they were invited to be, once; a list is taken whole or not at all",
        .row("ORG-05"))
    func invitations() async throws {
        let port = try FreePorts.tcp()
        try await atFrontDesk({
            $0.mailPort = port
            $0.logLevel = "trace"
        }) { desk in
            let peer = try await MailPeer(on: desk.stage, port: port)
            let owner = try await desk.owner()
            let made = try await owner.post("/invitations", #"{"email":"Kim@Example.org","role":"admin","message":"<b>Welcome"}"#)
            #expect(made.status == 201)
            #expect(try made.object()["link"] == nil && made.text("email") == "kim@example.org" && made.text("state") == "open")
            let token = try await token(for: "kim@example.org", peer, desk)
            let offer = try await desk.visitor().post("/auth/invitation", #"{"token":"\#(token)"}"#)
            #expect(try offer.status == 200 && offer.text("role") == "admin" && offer.text("email") == "kim@example.org")

            let kim = desk.visitor()
            let weak = try await accept(token, "short", by: kim)
            #expect(weak.status == 422)
            #expect(try weak.fields == ["password"])
            let accepted = try await accept(token, "a long password", by: kim)
            #expect(accepted.status == 201 && accepted.headers["set-cookie"]?.contains("HttpOnly") == true)
            kim.token = try accepted.text("accessToken")
            #expect(try await kim.get("/auth/me").text("role") == "admin")
            for path in ["/auth/invitation", "/auth/invitation/accept"] {
                let more = path.hasSuffix("accept") ? #","displayName":"Kim","password":"a long password""# : ""
                #expect(try await desk.visitor().post(path, #"{"token":"\#(token)"\#(more)}"#).problem == "gone")
            }
            // No admin invites another; nobody is invited twice.
            #expect(try await kim.post("/invitations", #"{"email":"x@example.org","role":"admin"}"#).status == 403)
            #expect(try await owner.post("/invitations", #"{"email":"kim@example.org","role":"host"}"#).status == 409)
            try await lists(kim, desk, peer)
            let actions = Set(try await owner.get("/audit").items().compactMap { $0["action"] as? String })
            #expect(actions.isSuperset(of: ["created", "accepted", "renewed", "withdrawn"].map { "invitation.\($0)" }))
            #expect(try !desk.said.contains(token))
        }
    }

    private func lists(_ admin: Visitor, _ desk: FrontDesk, _ peer: MailPeer) async throws {
        func send(_ csv: String) async throws -> Reply {
            let body = try JSONSerialization.data(withJSONObject: ["csv": csv, "role": "member"])
            return try await admin.post("/invitations/csv", String(decoding: body, as: UTF8.self))
        }
        let wrong = try await send("email,role\na@example.org,host\nno address\nb@example.org,king\nc@example.org,admin\n=1+1,host")
        #expect(try wrong.status == 422 && wrong.fields == ["csv[3]", "csv[4]", "csv[5]", "csv[6]"])
        let people = try await send("a@example.org,host\nkim@example.org\nA@example.org")
        #expect(try people.status == 422 && people.fields == ["csv[2]", "csv[3]"])
        #expect(try await admin.get("/invitations").items().isEmpty)
        let made = try await send("email;role\r\na@example.org;host\r\nb@example.org;\r\n")
        #expect(made.status == 201)
        #expect(try made.items().compactMap { $0["role"] as? String } == ["host", "member"])
        let old = try await token(for: "b@example.org", peer, desk)
        let ids = try made.items().compactMap { $0["id"] as? String }
        #expect(try await admin.post("/invitations/\(ids[1])/resend").status == 200)
        #expect(try await accept(old, "a long password", by: desk.visitor()).status == 410)
        #expect(try await admin.send("DELETE", "/invitations/\(ids[0])").status == 204)
        #expect(try await admin.send("DELETE", "/invitations/\(ids[0])").status == 404)
        #expect(try await admin.get("/invitations").items().compactMap { $0["id"] as? String } == [ids[1]])
    }

    // MARK: Parts

    private func token(for address: String, _ peer: MailPeer, _ desk: FrontDesk) async throws -> String {
        let mail = try await eventually(within: .seconds(10), "the invitation has come") { try peer.mails.first { $0.to == [address] } }
        let start = "\(desk.installation.origin)/invitation#token="
        let link = try #require(mail.text.split(whereSeparator: \.isWhitespace).first { $0.hasPrefix(start) }, "\(mail.text)")
        return String(link.dropFirst(start.count))
    }

    private func accept(_ token: String, _ password: String, by visitor: Visitor) async throws -> Reply {
        try await visitor.post("/auth/invitation/accept", #"{"token":"\#(token)","displayName":"Kim","password":"\#(password)"}"#)
    }
}
