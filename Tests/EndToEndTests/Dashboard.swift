import Foundation
import Support

/// The web application as its users handle it: by the words that they read, never by what its markup is.
struct Dashboard {
    let browser: Chromium
    /// `http://127.0.0.1:8080`
    let server: String

    /// The application in a browser of its own, of somebody who has signed in.
    static func opened(on stage: Stage, at server: String, as email: String = "owner@example.org", _ password: String) async throws
        -> Dashboard
    {
        let page = Dashboard(browser: try await Chromium(on: stage), server: server)
        try await page.browser.open(server + "/")
        try await page.enter(email, password)
        return page
    }

    /// Signs in as a person does it, and waits for what is live.
    func enter(_ email: String, _ password: String) async throws {
        try await fill("Mail address", email)
        try await fill("Password", password)
        try await press("Sign in")
        try await connected()
        // Whether somebody is signed in was asked by a refresh, which was refused.
        let others = browser.takeComplaints().filter { !$0.contains("status of 401") }
        if !others.isEmpty { throw SupportFailure("the page complains: \(others)") }
    }

    func connected(within limit: Duration = .seconds(15)) async throws {
        try await wait("document.documentElement.dataset.feed === 'connected'", "the feed is connected", within: limit)
    }

    /// The user's menu has no name but theirs.
    func leave() async throws {
        _ = try await run("document.querySelector('.menu > button').click()")
        try await press("Sign out")
        try await see("Forgot your password?")
    }

    func go(_ path: String) async throws { try await browser.go(to: server + path) }

    /// Presses the button or the link of this name.
    func press(_ name: String, within limit: Duration = .seconds(15)) async throws {
        let found = "strata.named('button, a, summary, [role=tab]', \(try Self.quoted(name)))"
        try await wait("\(found) !== null && !\(found).disabled", "'\(name)' can be pressed", within: limit)
        _ = try await run("\(found).click()")
    }

    /// Goes to a page of those who look after the organisation, by their menu.
    func manage(_ name: String) async throws {
        try await press("Admin")
        try await press(name)
    }

    /// Goes to a page of one's own, by the menu under one's name.
    func own(_ name: String) async throws {
        let menu = "document.querySelector('.menu > button')"
        try await wait("\(menu) !== null", "there is a menu of one's own")
        _ = try await run("\(menu).click()")
        try await press(name)
    }

    /// Puts a text into the field of this name.
    func fill(_ name: String, _ text: String) async throws {
        let found = "strata.named('input, select, textarea', \(try Self.quoted(name)))"
        try await wait("\(found) !== null", "there is a field '\(name)'")
        _ = try await run("strata.put(\(found), \(try Self.quoted(text)))")
    }

    /// Waits until a text can be read.
    func see(_ text: String, within limit: Duration = .seconds(15)) async throws {
        try await wait("document.body.innerText.includes(\(try Self.quoted(text)))", "'\(text)' is shown", within: limit)
    }

    func wait(_ expression: String, _ what: String, within limit: Duration = .seconds(15)) async throws {
        try await browser.wait(for: Self.tools + expression, what, within: limit)
    }

    func run(_ expression: String) async throws -> Any? { try await browser.value(Self.tools + expression) }

    /// What is wrong with the page for those who do not see it or have little room: a control without a name, an id that stands twice,
    /// a page without its one heading, and what goes beyond the window's edge.
    func faults() async throws -> [String] { try await run("strata.faults()") as? [String] ?? ["no answer"] }

    /// Pairs of tokens that WCAG AA would not take (4.5 to 1), in the theme that is shown.
    func pale() async throws -> [String] { try await run("strata.pale()") as? [String] ?? ["no answer"] }

    /// As a literal of JavaScript.
    private static func quoted(_ text: String) throws -> String { String(decoding: try JSONEncoder().encode(text), as: UTF8.self) }

    /// Defined anew in each page, by whatever asks first.
    private static let tools = """
        window.strata ??= {
          table: name => [...document.querySelectorAll('table')].find(e => strata.name(e) === name) ?? null,
          rows: name => [...(strata.table(name)?.tBodies[0].rows ?? [])].map(row => row.textContent),
          name: e => (e.getAttribute('aria-label') || (e.getAttribute('aria-labelledby') || '').split(' ').map(id => document.getElementById(id)?.innerText || '').join(' ').trim()
            || [...(e.labels || [])].map(label => label.innerText).join(' ').trim()
            || (e.innerText || e.textContent || '').trim() || [...e.querySelectorAll('img')].map(image => image.alt).join(' ')).trim(),
          seen: e => e.getClientRects().length > 0 && e.checkVisibility(),
          named: (kinds, name) => {
            const all = [...document.querySelectorAll(kinds)].filter(strata.seen), open = all.filter(e => e.closest('dialog[open]'));
            return (document.querySelector('dialog[open]') ? open : all).find(e => strata.name(e) === name || e.innerText?.trim() === name) ?? null;
          },
          put: (e, text) => {
            Object.getOwnPropertyDescriptor(Object.getPrototypeOf(e), 'value').set.call(e, text);
            e.dispatchEvent(new Event(e.tagName === 'SELECT' ? 'change' : 'input', { bubbles: true }));
          },
          faults: () => {
            const faults = [], shown = [...document.querySelectorAll('button, a, input, select, textarea, table, dialog, canvas, nav, [role=tab], [role=tablist]')];
            for (const e of shown.filter(strata.seen)) if (!strata.name(e)) faults.push('no name: ' + e.outerHTML.slice(0, 120));
            const ids = [...document.querySelectorAll('[id]')].map(e => e.id);
            for (const id of ids.filter((id, at) => ids.indexOf(id) !== at)) faults.push('twice: ' + id);
            if (document.querySelectorAll('h1').length !== 1) faults.push('headings: ' + document.querySelectorAll('h1').length);
            const wide = document.documentElement.scrollWidth - document.documentElement.clientWidth;
            if (wide > 0) faults.push('wider by ' + wide + ': ' + [...document.querySelectorAll('#app *')]
              .filter(e => e.getBoundingClientRect().right > innerWidth + 1).map(e => e.outerHTML.slice(0, 80)).slice(0, 3).join(' | '));
            return faults;
          },
          pale: () => {
            const style = getComputedStyle(document.documentElement);
            const light = token => {
              const hex = style.getPropertyValue('--' + token).trim().slice(1, 7);
              const [r, g, b] = [0, 2, 4].map(at => parseInt(hex.slice(at, at + 2), 16) / 255).map(v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4);
              return .2126 * r + .7152 * g + .0722 * b;
            };
            const pairs = [['on-accent', 'accent'], ['on-live', 'live'], ['accent', 'accent-soft'], ['good', 'good-soft'], ['warn', 'warn-soft'], ['bad', 'bad-soft'], ['text', 'bad-soft']]
              .concat(['text', 'muted', 'accent'].flatMap(text => ['ground', 'surface', 'raised'].map(ground => [text, ground])), ['good', 'warn', 'bad'].flatMap(text => ['surface', 'raised'].map(ground => [text, ground])));
            return pairs.map(([a, b]) => [a, b, (Math.max(light(a), light(b)) + .05) / (Math.min(light(a), light(b)) + .05)])
              .filter(([, , ratio]) => !(ratio >= 4.5)).map(([a, b, ratio]) => `${a} on ${b}: ${ratio.toFixed(2)}`);
          },
        };
        """
}
