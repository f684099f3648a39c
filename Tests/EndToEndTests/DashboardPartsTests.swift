import Foundation
import Support
import Testing

/// The parts that pages are made of behave alike wherever they stand, in a real browser.
@Suite(.serialized, .unlessStolen)
struct DashboardPartsTests {
    @Test(
        "dialogs, questions, what waits, notices, menus, tabs and tips are alike on every page and take the keyboard and give it back",
        .row("UI-10"))
    func parts() async throws {
        try await atFrontDesk { desk in
            let owner = try await desk.owner()
            let board = try await desk.board(of: owner)
            let added = try await owner.post("/destinations", #"{"name":"stays","url":"rtmp://live.example.org/app","secret":"a-key"}"#)
            #expect(added.status == 201, "\(added)")
            let page = try await Dashboard.opened(on: desk.stage, at: desk.server, desk.installation.ownerPassword)
            try await dialogs(page)
            try await question(page)
            try await notices(page)
            try await menu(page)
            try await tabs(page, of: board.identity.device.text)
            try await tips(page)
        }
    }

    /// A dialog has its title as its name, begins at what is to be filled in, and goes by Escape and by Cancel to where the keyboard was.
    private func dialogs(_ page: Dashboard) async throws {
        for (path, way) in [
            ("/destinations", "Add a destination"), ("/admin/members", "Add a member"), ("/tokens", "Make an API token"),
            ("/admin/webhooks", "Add a webhook"), ("/admin/enrollment", "Make a token"),
        ] {
            try await page.go(path)
            for closes in ["Escape", "Cancel"] {
                try await page.wait("strata.named('main button', '\(way)') !== null", "\(path) has its button")
                _ = try await page.run("strata.named('main button', '\(way)').focus()")
                try await page.press(way)
                try await page.wait("document.querySelectorAll('dialog[open]').length === 1", "\(path): its dialog is open")
                let isNamed = "(one => strata.name(one) !== '' && strata.name(one) === one.querySelector('h2').innerText)"
                #expect(try await page.run("\(isNamed)(document.querySelector('dialog[open]'))") as? Bool == true, "\(path): its name")
                #expect(
                    try await page.run("document.activeElement.matches('dialog[open] :is(input, select, textarea)')") as? Bool == true,
                    "\(path): its first field")
                #expect(try await page.faults() == [], "\(path)")
                if closes == "Escape" { try await page.browser.key(closes) } else { try await page.press(closes) }
                try await page.wait("document.querySelector('dialog[open]') === null", "\(path): it is closed by \(closes)")
                #expect(try await page.run("strata.name(document.activeElement)") as? String == way, "\(path): the keyboard is back")
            }
        }
    }

    /// What cannot be taken back is asked for; it is sent once, shows that it waits, and what refuses it stands in the question.
    private func question(_ page: Dashboard) async throws {
        try await page.go("/destinations")
        try await page.press("Remove stays")
        _ = try await page.run(
            """
            window.real = window.fetch; window.sent = [];
            window.refusal = { type: 'https://strata.invalid/problems/conflict', title: 'Conflict', status: 409, detail: 'in use' };
            window.fetch = (url, options) => options?.method !== 'DELETE' ? window.real(url, options)
              : new Promise(done => window.sent.push(() => window.sent.length === 1
                ? done(new Response(JSON.stringify(window.refusal), { status: 409 }))
                : done(window.real(url, options))));
            0
            """)
        let button = "strata.named('dialog button', 'Remove')"
        try await page.press("Remove")
        try await page.wait("\(button).getAttribute('aria-busy') === 'true' && \(button).disabled", "it waits")
        #expect(try await page.run("strata.seen(\(button).querySelector('.spinner'))") as? Bool == true)
        _ = try await page.run("document.querySelector('dialog form').requestSubmit()")
        #expect(try await page.run("window.sent.length") as? Int == 1, "a second press is the same one")
        _ = try await page.run("window.sent[0]()")
        try await page.wait("/in use/.test(document.querySelector('dialog[open] [role=alert]')?.innerText)", "it says why not")
        try await page.press("Remove")
        try await page.wait("window.sent.length === 2", "it is sent again")
        _ = try await page.run("window.sent[1]()")
        try await page.see("No destination yet")
        #expect(try await page.run("document.querySelector('dialog[open]') === null") as? Bool == true)
        _ = try await page.run("window.fetch = window.real; 0")
    }

    /// A notice is told to those who do not see it, covers nothing, can be closed, and goes by itself.
    private func notices(_ page: Dashboard) async throws {
        try await page.go("/admin/organization")
        let notice = "document.querySelector('[role=status][aria-live=polite] .toast')"
        for (name, isPatient) in [("One", false), ("Two", true)] {
            try await page.fill("Name", name)
            try await page.press("Save")
            try await page.wait("/Saved/.test(\(notice)?.innerText)", "it is told")
            #expect(try await page.faults() == [])
            if !isPatient { _ = try await page.run("\(notice).querySelector('button[aria-label=Close]').click()") }
            try await page.wait("\(notice) === null", "it is gone", within: isPatient ? .seconds(8) : .seconds(2))
        }
    }

    /// A menu says whether it is open, and goes by Escape, and by a press elsewhere.
    private func menu(_ page: Dashboard) async throws {
        let menu = "document.querySelector('.menu > button')"
        for closes in ["Escape", "a press"] {
            #expect(try await page.run("\(menu).getAttribute('aria-expanded')") as? String == "false")
            _ = try await page.run("\(menu).focus(); \(menu).click()")
            try await page.see("Sign out")
            #expect(try await page.run("\(menu).getAttribute('aria-expanded')") as? String == "true")
            if closes == "Escape" {
                try await page.browser.key(closes)
            } else {
                for kind in ["mousePressed", "mouseReleased"] { try await page.browser.mouse(kind, x: 640, y: 700) }
            }
            try await page.wait("strata.named('button', 'Sign out') === null", "it is closed by \(closes)")
        }
    }

    /// Of tabs one is chosen and the tabulator comes to that alone; arrows go round, and what is shown is named by it.
    private func tabs(_ page: Dashboard, of sender: String) async throws {
        for path in ["/senders", "/senders/\(sender)", "/admin/organization"] {
            try await page.go(path)
            try await page.wait("document.querySelector('[role=tab]') !== null", "\(path) has tabs")
            // What a tab shows may have tabs of its own.
            let tabs = "[...document.querySelector('[role=tablist]').children]"
            let chosen = "\(tabs).filter(one => one.ariaSelected === 'true')", reached = "\(tabs).filter(one => one.tabIndex === 0)"
            let panel = "document.getElementById(\(chosen)[0].getAttribute('aria-controls'))"
            let count = try #require(try await page.run("\(tabs).length") as? Int)
            let first = try await page.run("\(chosen)[0].innerText") as? String
            _ = try await page.run("\(chosen)[0].focus()")
            for step in 1...count {
                try await page.browser.key("ArrowRight")
                try await page.wait("document.activeElement === \(chosen)[0]", "\(path): tab \(step) is chosen and has the keyboard")
                #expect(try await page.run("\(chosen).length === 1 && \(reached).length === 1") as? Bool == true, "\(path)")
                #expect(try await page.run("strata.name(\(panel)) === \(chosen)[0].innerText.trim()") as? Bool == true, "\(path)")
            }
            #expect(try await page.run("\(chosen)[0].innerText") as? String == first, "\(path): round")
            try await page.browser.key("ArrowLeft")
            try await page.wait("\(tabs).at(-1) === document.activeElement", "\(path): back")
        }
    }

    /// A sign without words says what it means to whoever comes to it with the keyboard, until Escape or until they go on.
    private func tips(_ page: Dashboard) async throws {
        try await page.go("/")
        try await page.browser.resize(width: 900, height: 860)
        let sign = "[...document.querySelectorAll('#navigation a')].find(one => /Destinations/.test(one.textContent))"
        let tip = "document.querySelector('[role=tooltip]')"
        try await page.wait("\(sign) !== undefined", "the ways are there")
        _ = try await page.run("\(sign).focus()")
        try await page.wait("\(tip)?.textContent === 'Destinations'", "its name is shown")
        try await page.browser.key("Escape")
        try await page.wait("\(tip) === null", "it is gone")
        try await page.browser.key("Tab")
        try await page.wait("\(tip) !== null && \(tip).textContent !== 'Destinations'", "the next one's")
        #expect(try await page.faults() == [])
    }
}
