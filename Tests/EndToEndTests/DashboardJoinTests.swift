import Foundation
import Support
import Testing

/// The pages of those who have not signed in, and the way into a meeting.
@Suite(.serialized, .unlessStolen)
struct DashboardJoinTests {
    @Test(
        "pages before the door take no sign-in: a guest comes by a link, waits, is let in, is seen there, and is told the end",
        .row("UI-01", "MTG-10", "MTG-12", "MTG-13", "MTG-18", "MTG-19", "ANA-02"))
    func guest() async throws {
        try await atFrontDesk { desk in
            let owner = try await desk.owner()
            let page = Dashboard(browser: try await Chromium(on: desk.stage), server: desk.server)
            try await page.browser.open(page.server + "/")
            for (path, text) in [
                ("/login", "Forgot your password?"), ("/register", "Your organisation has given you both."),
                ("/forgot-password", "Back to the sign-in"), ("/reset-password", "This link is over"), ("/join", "The meeting's code"),
            ] {
                try await page.go(path)
                try await page.see(text)
                #expect(try await page.faults() == [], "\(path)")
            }
            let made = try await owner.post("/meetings", #"{"title":"Stand-up"}"#)
            let (id, slug) = (try made.text("id"), try made.text("slug"))
            let link = try await owner.post("/meetings/\(id)/guest-links", #"{"label":"Gina"}"#).text("url")
            let origin = desk.installation.origin
            try await page.browser.go(to: page.server + link.dropFirst(origin.count))
            try await page.see("Stand-up")
            #expect(try await page.run("location.href.includes('token')") as? Bool == false)
            try await page.fill("Your name", "Gina")
            #expect(try await page.faults() == [])
            try await page.press("Come in")
            try await page.see("You are waiting")
            try await page.browser.screenshot("app-door-6-waiting")
            let guest = try #require(try await owner.get("/meetings/\(id)/waiting").items().first?["id"] as? String)
            #expect(try await owner.post("/meetings/\(id)/waiting/\(guest)/admit").status == 204)
            // Without a camera, and at a server without rooms: neither keeps anybody out.
            try await page.see("None was found.")
            try await page.see("Gina (you)")

            // Whoever has signed in comes by their account.
            let own = try await Dashboard.opened(on: desk.stage, at: desk.server, desk.installation.ownerPassword)
            try await own.go("/m/\(slug)")
            try await own.see("Stand-up")
            try await own.browser.go(to: own.server + (try made.text("joinURL")).dropFirst(origin.count))
            try await own.press("Come in")
            try await own.see("Gina")
            try await page.wait("document.querySelectorAll('.tile').length === 2", "the host is seen")
            // Goes and comes: another seat of the same person.
            try await own.press("Leave")
            try await page.wait("document.querySelectorAll('.tile').length === 1", "the host has left")
            try await own.press("Come in again")
            try await own.press("Come in")
            try await page.wait("document.querySelectorAll('.tile').length === 2", "the host is back")
            try await page.see("Sound and pictures do not come through at the moment")
            for one in [page, own] { #expect(try await one.faults() == []) }
            try await page.browser.screenshot("app-door-7-meeting")
            try await eventually(within: .seconds(5), "who came is noted") {
                let events = try await owner.get("/meetings/\(id)/events").items().filter { $0["kind"] as? String == "joined" }
                return Set(events.compactMap { $0["name"] as? String }) == ["Gina", "Owner"]
            }
            #expect(try await owner.post("/meetings/\(id)/end").status == 200)
            for one in [page, own] { try await one.see("The meeting is over") }
            let ended = try await owner.get("/meetings/\(id)")
            #expect(try ended.text("state") == "ended" && ended.object()["endedAt"] is String)
            try await attendance(own)

            try await page.go("/join")
            try await page.fill("The meeting's code", "\(slug.prefix(3))-\(slug.dropFirst(3))".uppercased())
            try await page.press("Next")
            try await page.see("There is no such meeting")
            #expect(try await page.faults() == [])
        }
    }

    /// When each was there, how many there were, and how many at once; who came twice has two stays.
    private func attendance(_ own: Dashboard) async throws {
        try await own.press("The meeting's page")
        let rows = "[...(strata.table('Who was there')?.tBodies[0].rows ?? [])]"
        let stays = "\(rows).map(row => row.cells[0].innerText.trim() + ' ' + row.cells[1].querySelectorAll('p').length).sort().join()"
        try await own.wait("\(stays) === 'Gina 1,Owner 2'", "each is there once, with all their stays")
        let times = "\(rows).every(row => /^\\d+:\\d\\d$/.test(row.cells[2].innerText.trim()))"
        #expect(try await own.run(times) as? Bool == true)
        let pairs = "[...document.querySelectorAll('.facts > div')].map(one => [...one.children].map(part => part.innerText.trim()))"
        let shown = try await own.run("Object.fromEntries(\(pairs))") as? [String: String] ?? [:]
        #expect(shown["People"] == "2" && shown["At once at most"] == "2", "\(shown)")
        #expect(shown["How long it was"] != nil && shown["Over since"] != nil, "\(shown)")
        #expect(try await own.faults() == [])
        try await own.browser.screenshot("app-door-8-attendance")
    }

    @Test(
        "a meeting is made from home, and come to by its code; what an organisation locks is grey in its form, and a host lets guests in from its page",
        .row("ORG-08", "MTG-04", "MTG-22", "UI-02"))
    func locked() async throws {
        try await atFrontDesk { desk in
            let owner = try await desk.owner()
            let page = try await Dashboard.opened(on: desk.stage, at: desk.server, desk.installation.ownerPassword)
            // Home, with its senders, of which there is none.
            try await page.see("No sender yet")
            try await page.see("None runs, and none is planned.")
            try await page.press("New meeting")
            try await page.fill("What it is about", "Stand-up")
            try await page.press("New meeting")
            try await page.see("Nobody waits.")
            #expect(try await page.faults() == [])
            let meeting = try #require(try await owner.get("/meetings").items().first)
            let (id, slug) = (try #require(meeting["id"] as? String), try #require(meeting["slug"] as? String))
            try await home(page, owner, slug)

            try await page.go("/admin/organization/meetings")
            try await page.fill("Guests", "open")
            let choice = "[...document.querySelectorAll('.choices .choice')].find(one => one.innerText.trim() === 'Guests')"
            _ = try await page.run("\(choice).click()")
            #expect(try await page.faults() == [])
            try await page.press("Save")
            try await page.see("Saved")
            let defaults = try await owner.get("/organization/meeting-settings").object()
            #expect(defaults["locked"] as? [String] == ["guestAccess"])
            try await page.browser.screenshot("app-meetings-1-settings")

            try await page.go("/meetings/\(id)")
            try await page.wait("strata.named('select', 'Guests')?.disabled === true", "what is locked is grey")
            #expect(try await page.run("strata.named('select', 'Guests').value") as? String == "open")
            try await page.see("Your organisation has decided it for all meetings.")
            try await page.fill("Waiting room", "yes")
            try await page.press("Save")
            try await page.see("Saved")
            let knock = try await desk.visitor().post("/join/guest", #"{"slug":"\#(slug)","name":"Gina"}"#)
            #expect(try knock.text("state") == "waits")
            try await page.see("Gina")
            #expect(try await page.faults() == [])
            try await page.browser.screenshot("app-meetings-2-meeting")
            try await page.press("Let Gina in")
            try await page.see("Nobody waits.")
            let ask = #"{"token":"\#(try knock.text("waiting"))"}"#
            #expect(try await desk.visitor().post("/join/waiting", ask).text("state") == "enters")
            try await page.press("Make a guest link")
            try await page.fill("For whom", "A speaker")
            try await page.press("Make a guest link")
            try await page.see("/m/\(slug)#token=")
            try await page.press("End the meeting")
            try await page.press("End the meeting")
            try await page.wait("document.querySelector('h1 .badge')?.innerText.trim() === 'Over'", "it is over")
            try await page.go("/")
            try await page.wait("strata.rows('Over of late').some(one => one.includes('Stand-up'))", "it is among those that are over")
        }
    }

    /// The link of a meeting that has just been made, those that are ahead, and the way into it by its code.
    private func home(_ page: Dashboard, _ owner: Visitor, _ slug: String) async throws {
        #expect(slug.wholeMatch(of: #/[0-9a-z]{10}/#) != nil)
        try await page.see("/demo/m/\(slug)")
        let later = #"{"title":"Review","scheduledStart":"2099-01-01T00:00:00.000Z"}"#
        #expect(try await owner.post("/meetings", later).status == 201)
        try await page.go("/")
        let ahead = "strata.rows('Running and planned')"
        let isInOrder = "\(ahead).length === 2 && \(ahead)[0].includes('Stand-up') && \(ahead)[1].includes('Review')"
        try await page.wait(isInOrder, "what runs comes before what is planned")
        #expect(try await page.faults() == [])
        try await page.browser.screenshot("app-meetings-0-home")
        try await page.fill("The meeting's code", "\(slug.prefix(3)) \(slug.dropFirst(3).prefix(4))-\(slug.suffix(3))".uppercased())
        try await page.press("Next")
        try await page.wait("strata.named('button', 'Come in') !== null", "it is the door")
        #expect(try await page.run("document.querySelector('h1').innerText") as? String == "Stand-up")
    }
}
