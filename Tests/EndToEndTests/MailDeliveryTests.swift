import Foundation
import Support
import Testing

/// Mails as those have them who get them, and what is there in their place where the server sends none.
@Suite(.serialized, .unlessStolen)
struct MailDeliveryTests {
    @Test(
        "invitations, new accounts, new passwords, meetings that are over and alerts come by mail, however long the mail server was away, and their links lead where they say",
        .row("MTG-52"))
    func mails() async throws {
        let port = try FreePorts.tcp()
        try await atFrontDesk({ $0.mailPort = port }) { desk in
            let owner = try await desk.owner()
            let (_, member) = try await user(.member, of: owner, at: desk)
            // Nobody listens there yet: all of it waits.
            let wish = #"{"rules":[{"kind":"health"}],"byMail":true,"recovery":false}"#
            #expect(try await owner.send("PUT", "/auth/me/alerts", wish).status == 200)
            #expect(try await owner.post("/diagnostics/health").status == 201)
            #expect(try await owner.post("/invitations", #"{"email":"kim@example.org","role":"host"}"#).status == 201)
            let code = try await owner.send("PATCH", "/organization/settings", #"{"registration":"open"}"#).text("code")
            let slug = try await owner.get("/organization").text("slug")
            let join = #"{"organization":"\#(slug)","code":"\#(code)","email":"lee@example.org"}"#
            #expect(try await desk.visitor().post("/auth/registration/request", join).status == 200)
            #expect(try await owner.post("/users/\(member)/password-reset").status == 200)
            let meeting = try await owner.post("/meetings", #"{"title":"Stand-up"}"#).text("id")
            #expect(try await owner.post("/meetings/\(meeting)/end").status == 200)
            try await eventually(within: .seconds(20), "it was tried") { try desk.said.contains("a mail was not taken") }

            let peer = try await MailPeer(on: desk.stage, port: port)
            try await eventually(within: .seconds(60), "all have come") { try peer.mails.count >= 5 }
            func mail(to address: String, _ subject: String) throws -> MailPeer.Mail {
                let all = try peer.mails
                let found = all.filter { $0.to == [address] && $0.headers["Subject"]?.contains(subject) == true }
                guard let mail = found.first, found.count == 1 else {
                    throw SupportFailure("not one '\(subject)', but \(all.map(\.headers))")
                }
                return mail
            }
            let kim = try token(in: try mail(to: "kim@example.org", "An invitation"), "/invitation", desk)
            try await accept(kim, "Kim", desk)
            let lee = try token(in: try mail(to: "lee@example.org", "Your account"), "/invitation", desk)
            try await accept(lee, "Lee", desk)
            let fresh = try token(in: try mail(to: "member@example.org", "A new password"), "/reset-password", desk)
            let choice = #"{"token":"\#(fresh)","password":"a brand new password"}"#
            #expect(try await desk.visitor().send("PUT", "/auth/password-reset", choice).status == 204)
            #expect(try await desk.visitor().signIn("member@example.org", "a brand new password").status == 200)
            let over = try mail(to: "owner@example.org", "Stand-up is over")
            let path = "/meetings/\(meeting)"
            for text in [over.text, over.html] { #expect(text.contains("\(desk.installation.origin)\(path)")) }
            #expect(try await owner.get(path).text("state") == "ended")
            let alert = try mail(to: "owner@example.org", "A part of the server has failed: mail")
            #expect(alert.text.contains("\(desk.installation.origin)/"))
            #expect(try !desk.said.contains(kim) && !desk.said.contains(lee) && !desk.said.contains(fresh))

            // The page that it names shows it.
            let page = try await Dashboard.opened(on: desk.stage, at: desk.server, desk.installation.ownerPassword)
            try await page.go(path)
            try await page.see("Stand-up")
        }
    }

    @Test("where the server sends no mail, whoever invites somebody or helps them to a new password gets the link to copy", .row("MTG-52"))
    func links() async throws {
        try await atFrontDesk { desk in
            let owner = try await desk.owner()
            _ = try await user(.member, of: owner, at: desk)
            let page = try await Dashboard.opened(on: desk.stage, at: desk.server, desk.installation.ownerPassword)
            try await page.go("/admin/members")
            try await page.press("Invite")
            try await page.fill("Mail address", "kim@example.org")
            try await page.press("Invite")
            let kim = try await copied(page, "/invitation")
            try await accept(kim[0], "Kim", desk)
            try await page.press("Close")

            try await page.press("Invite several")
            try await page.fill("A line each: address, or address,role", "ada@example.org\nbob@example.org,host")
            try await page.press("Invite")
            try await page.see("give each of them theirs yourself")
            try await page.browser.screenshot("app-members-links")
            let both = try await copied(page, "/invitation")
            #expect(both.count == 2)
            for (token, name) in zip(both, ["Ada", "Bob"]) { try await accept(token, name, desk) }
            try await page.press("Close")

            try await page.press("A link to a new password for member")
            try await page.press("New password")
            let fresh = try await copied(page, "/reset-password")
            let choice = #"{"token":"\#(fresh[0])","password":"a brand new password"}"#
            #expect(try await desk.visitor().send("PUT", "/auth/password-reset", choice).status == 204)
            #expect(try await desk.visitor().signIn("member@example.org", "a brand new password").status == 200)
        }
    }

    /// The tokens of the links that the dialog offers to copy.
    private func copied(_ page: Dashboard, _ place: String) async throws -> [String] {
        try await page.wait("document.querySelector('dialog .copy code') !== null", "there is something to copy")
        #expect(try await page.faults() == [])
        #expect(try await page.run("strata.named('dialog .copy button', 'Copy') !== null") as? Bool == true)
        let shown = try #require(
            try await page.run("[...document.querySelectorAll('dialog .copy code')].map(one => one.innerText)") as? [String])
        return try shown.map { try #require($0.split(separator: "#token=").last.map(String.init), "\($0) leads to \(place)") }
    }

    /// What stands behind the `#` of the mail's link, in both of its parts.
    private func token(in mail: MailPeer.Mail, _ place: String, _ desk: FrontDesk) throws -> String {
        let start = "\(desk.installation.origin)\(place)#token="
        let link = try #require(mail.text.split(whereSeparator: \.isWhitespace).first { $0.hasPrefix(start) }, "\(mail.text)")
        #expect(mail.html.contains(link))
        return String(link.dropFirst(start.count))
    }

    private func accept(_ token: String, _ name: String, _ desk: FrontDesk) async throws {
        let body = #"{"token":"\#(token)","displayName":"\#(name)","password":"a long password"}"#
        #expect(try await desk.visitor().post("/auth/invitation/accept", body).status == 201)
    }
}
