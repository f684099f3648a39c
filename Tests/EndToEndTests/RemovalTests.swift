import Support
import Testing

/// People who do not belong to the organisation any more.
@Suite(.serialized, .unlessStolen)
struct RemovalTests {
    @Test(
        "a user who is removed is out at once and in no list, is invited anew with the same address, and the audit log keeps the name",
        .row("ORG-04", "SEC-03"))
    func removal() async throws {
        try await atFrontDesk { desk in
            let owner = try await desk.owner()
            let (admin, adminID) = try await user(.admin, of: owner, at: desk)
            let (host, hostID) = try await user(.host, of: owner, at: desk)
            let name = try await host.get("/auth/me").text("displayName")
            let program = desk.visitor()
            program.token = try await host.post(
                "/api-tokens", #"{"name":"Button","scopes":["read"],"password":"a long password"}"#
            ).text("token")
            #expect(try await program.get("/senders").status == 200)
            let feed = try await host.watch()
            let ownerID = try await owner.get("/auth/me").text("id")
            // Nobody removes the owner, themselves, or whoever is not below them.
            for (visitor, id, status) in [(owner, ownerID, 409), (admin, ownerID, 409), (admin, adminID, 403), (host, adminID, 403)] {
                #expect(try await visitor.send("DELETE", "/users/\(id)").status == status)
            }
            #expect(try await admin.send("DELETE", "/users/\(hostID)").status == 204)
            #expect(try await feed.ending(within: .seconds(1)) == 1008)
            #expect(try await host.get("/auth/me").status == 401)
            #expect(try await host.refresh().status == 401)
            #expect(try await program.get("/senders").status == 401)
            #expect(try await desk.visitor().signIn("host@example.org", "a long password").status == 401)
            #expect(try await admin.get("/users").items().compactMap { $0["id"] as? String } == [ownerID, adminID].sorted())
            #expect(try await !owner.get("/api-tokens").items().contains { $0["name"] as? String == "Button" })
            for (method, path) in [("DELETE", "/users/\(hostID)"), ("POST", "/users/\(hostID)/password-reset")] {
                #expect(try await admin.send(method, path).status == 404)
            }
            for change in [#"{"active":true}"#, #"{"role":"member"}"#, #"{"displayName":"Back"}"#] {
                #expect(try await admin.send("PATCH", "/users/\(hostID)", change).status == 404)
            }
            let link = try await admin.post("/invitations", #"{"email":"host@example.org","role":"member"}"#).text("link")
            let token = try #require(link.components(separatedBy: "#token=").last)
            let guest = desk.visitor()
            let accepted = try await guest.post(
                "/auth/invitation/accept", #"{"token":"\#(token)","displayName":"Another","password":"another long password"}"#)
            #expect(accepted.status == 201, "\(accepted)")
            let again = try await desk.person("host@example.org", "another long password")
            #expect(try await again.get("/auth/me").text("id") != hostID)
            let entries = try await admin.get("/audit").items()
            let removal = try #require(entries.first { $0["action"] as? String == "user.removed" })
            #expect(removal["subject"] as? String == hostID && removal["subjectName"] as? String == name)
            #expect(removal["author"] as? String == adminID && removal["detail"] as? String == "\(name), host@example.org")
            #expect(entries.contains { $0["author"] as? String == hostID && $0["authorName"] as? String == name })
        }
    }
}
