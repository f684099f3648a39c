import Foundation
import Support
import Testing
import Wire

/// What stands around every page, and the pages of those who look after an organisation.
@Suite(.serialized, .unlessStolen)
struct DashboardAdminTests {
    private static let work = ["Dashboard", "Senders", "Broadcasts", "Recordings", "Destinations", "Meetings"]
    private static let managed = [
        "Members", "Organisation", "Enrollment", "Presets", "Analytics", "Storage", "Receivers", "Webhooks", "Diagnostics", "Updates",
        "Audit log",
    ]

    @Test(
        "above every page stand the logo, the ways that a role may go, for admins a menu of theirs, and one's own with the way out; behind a button on a telephone, and not in a room",
        .row("UI-09"))
    func navigation() async throws {
        try await atFrontDesk { desk in
            let owner = try await desk.owner()
            for role in [Role.member, .host, .admin] { _ = try await user(role, of: owner, at: desk) }
            let page = Dashboard(browser: try await Chromium(on: desk.stage), server: desk.server)
            try await page.browser.open(page.server + "/")
            try await page.browser.resize(width: 1280, height: 860)
            let people: [(name: String, password: String, ways: [String], isAdmin: Bool)] = [
                ("member", "a long password", Self.work.filter { $0 != "Destinations" }, false),
                ("host", "a long password", Self.work, false),
                ("admin", "a long password", Self.work, true), ("owner", desk.installation.ownerPassword, Self.work, true),
            ]
            for person in people {
                try await page.enter("\(person.name)@example.org", person.password)
                try await page.wait("strata.named('#navigation a', 'Senders') !== null", "the ways are there")
                #expect(try await ways(page) == person.ways, "\(person.name)")
                #expect(try await page.run("strata.named('button', 'Admin') !== null") as? Bool == person.isAdmin, "\(person.name)")
                // On one line, at the top, beside the logo, which leads home.
                let isAbove =
                    "(links => new Set(links.map(one => Math.round(one.getBoundingClientRect().top))).size === 1 && links[0].getBoundingClientRect().bottom < 60)"
                #expect(try await page.run("\(isAbove)([...document.querySelectorAll('header #navigation > ul a')])") as? Bool == true)
                #expect(try await page.run("document.querySelector('header > .brand').getAttribute('href')") as? String == "/")
                if person.isAdmin { try await menu(page) }
                #expect(try await page.faults() == [], "\(person.name)")
                if person.name == "owner" { break }
                try await page.leave()
            }
            try await page.browser.screenshot("navigation-1-desk")
            try await telephone(page)
            try await room(page, desk, owner)
        }
    }

    /// Those that are seen.
    private func ways(_ page: Dashboard) async throws -> [String] {
        let seen = "[...document.querySelectorAll('#navigation a')].filter(strata.seen)"
        return try await page.run("\(seen).map(one => one.innerText.trim())") as? [String] ?? []
    }

    /// It opens, leads to a page, is closed then, and says where one is.
    private func menu(_ page: Dashboard) async throws {
        try await page.press("Admin")
        #expect(try await ways(page) == Self.work + Self.managed)
        #expect(try await page.faults() == [])
        try await page.press("Updates")
        try await page.wait("location.pathname === '/admin/updates'", "it leads there")
        try await page.wait("strata.named('#navigation a', 'Updates') === null", "it is closed")
        try await page.press("Admin")
        #expect(try await page.run("strata.named('#navigation a', 'Updates').getAttribute('aria-current')") as? String == "page")
        try await page.browser.key("Escape")
        try await page.wait("strata.named('#navigation a', 'Updates') === null", "Escape closes it")
        #expect(try await page.run("strata.name(document.activeElement)") as? String == "Admin")
    }

    private func telephone(_ page: Dashboard) async throws {
        try await page.browser.resize(width: 360, height: 740)
        #expect(try await ways(page) == [])
        try await page.press("Menu")
        #expect(try await ways(page) == Self.work)
        try await page.press("Admin")
        #expect(try await ways(page) == Self.work + Self.managed)
        #expect(try await page.faults() == [])
        try await page.browser.screenshot("navigation-2-telephone")
        try await page.press("Storage")
        try await page.wait("document.querySelector('h1')?.innerText === 'Storage'", "its page is shown")
        #expect(try await ways(page) == [], "the menu has closed behind them")
        // Who is signed in, and the way out, stay in sight.
        _ = try await page.run("document.querySelector('.menu > button').click()")
        for name in ["My account", "API tokens", "Help", "Sign out"] {
            #expect(try await page.run("strata.named('.menu a, .menu button', '\(name)') !== null") as? Bool == true, "\(name)")
        }
        try await page.browser.key("Escape")
        try await page.browser.resize(width: 1280, height: 860)
    }

    private func room(_ page: Dashboard, _ desk: FrontDesk, _ owner: Visitor) async throws {
        let address = try await owner.post("/meetings", #"{"title":"Stand-up"}"#).text("joinURL")
        try await page.go(String(address.dropFirst(desk.installation.origin.count)))
        try await page.press("Come in")
        try await page.wait("strata.named('button', 'Come in') === null && document.querySelector('main') !== null", "they are in")
        #expect(try await page.run("document.querySelector('#navigation, header.bar') === null") as? Bool == true)
        #expect(try await page.faults() == [])
    }

    /// A page, what shows that it is there, and what of the server's is behind it that nobody else gets.
    private struct Place {
        let path: String
        let title: String
        let sign: String
        /// nil where what it shows is everybody's to know: only to be changed it takes an admin.
        let read: String?
        var change: (method: String, path: String, body: String)?
    }

    private static let places = [
        Place(path: "/admin/settings", title: "Organisation", sign: "strata.named('input', 'Name')", read: "/organization/settings"),
        Place(path: "/admin/members", title: "Members", sign: "strata.table('Members')", read: "/users"),
        Place(path: "/admin/invite", title: "Members", sign: "document.querySelector('dialog[open] form')", read: "/invitations"),
        Place(path: "/admin/analytics", title: "Analytics", sign: "strata.table('Day by day')", read: "/analytics/days"),
        Place(
            path: "/admin/presets", title: "Presets", sign: "strata.table('Webinar')", read: nil,
            change: ("PUT", "/organization/meeting-settings", #"{"settings":{},"locked":[]}"#)),
        Place(
            path: "/admin/branding", title: "Organisation", sign: "document.querySelector('.preview')", read: nil,
            change: ("PATCH", "/organization/branding", "{}")),
        Place(path: "/admin/storage", title: "Storage", sign: "strata.table('Files of the organisation')", read: "/organization/storage"),
        Place(path: "/admin/diagnostics", title: "Diagnostics", sign: "strata.table('System health')", read: "/diagnostics/health"),
        Place(path: "/admin/updates", title: "Updates", sign: "strata.table('Upgrades of the database')", read: "/diagnostics/versions"),
    ]

    @Test(
        "settings, members, invitations, analytics, presets, branding, storage, diagnostics and updates are there for owners and admins; others are kept out by the page and by the server",
        .row("UI-08"))
    func pages() async throws {
        try await atFrontDesk { desk in
            let owner = try await desk.owner()
            let meeting = try await owner.post("/meetings", #"{"title":"Stand-up"}"#).text("id")
            #expect(try await owner.post("/meetings/\(meeting)/end").status == 200)
            let page = Dashboard(browser: try await Chromium(on: desk.stage), server: desk.server)
            try await page.browser.open(page.server + "/")
            for place in Self.places {
                try await page.go(place.path)
                try await page.see("Forgot your password?")
            }
            for role in [Role.member, .host] {
                let (person, _) = try await user(role, of: owner, at: desk)
                try await page.enter("\(role.rawValue)@example.org", "a long password")
                for place in Self.places {
                    try await page.go(place.path)
                    try await page.see("Not for your role")
                    #expect(try await page.run("\(Self.isThere(place))") as? Bool == false, "\(place.path) as a \(role)")
                    if let path = place.read { #expect(try await person.get(path).status == 403, "\(path) as a \(role)") }
                    if let (method, path, body) = place.change {
                        #expect(try await person.send(method, path, body).status == 403, "\(path) as a \(role)")
                    }
                }
                try await page.leave()
            }
            _ = try await user(.admin, of: owner, at: desk)
            try await page.enter("admin@example.org", "a long password")
            for place in Self.places {
                try await page.go(place.path)
                try await page.wait("document.querySelector('h1')?.innerText.startsWith('\(place.title)')", "\(place.path) has its title")
                try await page.wait(Self.isThere(place), "\(place.path) shows what it is there for")
                for width in [1280, 900, 360] {
                    try await page.browser.resize(width: width, height: 860)
                    #expect(try await page.faults() == [], "\(place.path) at \(width)")
                }
                try await page.browser.resize(width: 1280, height: 860)
                try await page.browser.screenshot("admin-\(place.path.dropFirst(7))")
            }
            try await figures(page, owner)
            #expect(page.browser.takeComplaints().filter { !$0.contains("status of 401") } == [])
            try await others(page, desk)
        }
    }

    private static func isThere(_ place: Place) -> String { "(\(place.sign) ?? null) !== null" }

    /// What they show is what there is.
    private func figures(_ page: Dashboard, _ owner: Visitor) async throws {
        try await page.go("/admin/analytics")
        try await page.wait("strata.rows('Day by day').length === 1", "the day of the meeting is there")
        try await page.see("Meetings\n1")
        try await page.go("/admin/updates")
        let versions = try await owner.get("/diagnostics/versions").object()
        let (version, upgrades) = (try #require(versions["version"] as? String), (versions["upgrades"] as? [[String: Any]])?.count ?? 0)
        try await page.see("Version\n\(version)")
        try await page.wait("strata.rows('Upgrades of the database').length === \(upgrades)", "each upgrade is there")
        try await page.go("/admin/storage")
        try await page.see("The server's disk")
        try await page.go("/admin/presets")
        let may = "strata.rows('Webinar').find(row => row.startsWith('Send people away'))"
        try await page.wait("\(may) === 'Send people awayYes'", "a host alone sends people away")
        // Only the owner says whom the server tells of itself.
        try await page.go("/admin/diagnostics")
        try await page.see("No meeting runs.")
        #expect(try await page.run("document.body.innerText.includes('Who is told how the server is')") as? Bool == false)
        _ = try await owner.post("/meetings", #"{"title":"Now"}"#)
        try await page.wait("strata.rows('Meetings that run').some(row => row.startsWith('Now'))", "a meeting that runs is there")
    }

    /// The owner of the house, and the one of another organisation.
    private func others(_ page: Dashboard, _ desk: FrontDesk) async throws {
        try await page.leave()
        try await page.enter("owner@example.org", desk.installation.ownerPassword)
        try await page.go("/admin/diagnostics")
        try await page.fill("Address", "https://127.0.0.1:1/a-key")
        try await page.press("Tell this address")
        try await page.see("Told to\n127.0.0.1:1")
        #expect(try await page.run("document.body.innerText.includes('a-key')") as? Bool == false)
        try await page.press("Tell it now")
        try await page.wait("strata.rows('What was told').length > 0", "the call is kept")
        #expect(try await page.faults() == [])
        try await page.browser.screenshot("admin-phone-home")
        try await page.press("Tell nobody")
        try await page.see("Told to\nTo nobody")
        try await page.leave()
        _ = try await desk.stranger()
        try await page.enter("owner@other.org", "another long password")
        try await page.go("/admin/storage")
        try await page.see("Files of the organisation")
        #expect(try await page.run("document.body.innerText.includes(\"The server's disk\")") as? Bool == false)
    }
}
