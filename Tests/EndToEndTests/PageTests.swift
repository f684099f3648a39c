import Foundation
import HTTP
import Posix
import Support
import Testing
import Units
import Web
import Wire

/// The web application in a real browser, and what a hostile one beside it may not do (THREATS 11 and 16).
@Suite(.serialized, .unlessStolen)
struct PageTests {
    private static let seen = "As the receiver sees it"

    @Test(
        "somebody signs in, starts a broadcast, sees it live and stops it, and hostile names are only shown",
        .row("CTL-03", "CTL-04", "CTL-09", "BND-04", "BND-06"))
    func broadcast() async throws {
        try await inStudio { studio in
            let sender = try await studio.sender()
            let hostile = "<img src=x onerror=window.owned=1>"
            let _: SenderView = try await studio.owner.call(.patch, "/senders/\(sender.id)", ["name": hostile])
            _ = try await studio.destination("</script><script>window.owned=2</script>", url: studio.nginx.url(), secret: "show")
            let page = Dashboard(browser: try await Chromium(on: studio.stage), server: studio.owner.server), browser = page.browser
            try await browser.open(page.server + "/")
            for (field, text) in [("Mail address", "owner@example.org"), ("Password", "wrong password")] {
                try await page.fill(field, text)
            }
            try await browser.screenshot("1-sign-in")
            try await page.press("Sign in")
            try await page.see("belong together")
            try await page.enter("owner@example.org", studio.installation.ownerPassword)
            try await page.wait(
                "/^<img src=x onerror=window.owned=1>\\nOnline/.test(document.querySelector('.sender')?.innerText)", "the sender is online")
            try await page.press(hostile)
            try await page.wait("document.querySelectorAll('.link').length >= 3", "each of its links is shown")
            try await page.press("Start a broadcast")

            // Without a destination nothing starts.
            try await page.wait("document.querySelector('.choice input')?.checked", "the only destination is chosen")
            _ = try await page.run("document.querySelector('.choice input').click()")
            try await page.see("Choose at least one destination.")
            #expect(try await page.run("strata.named('button', 'Go live').disabled") as? Bool == true)
            _ = try await page.run("document.querySelector('.choice input').click()")
            try await page.fill("Video, Mbit/s", "0.8")
            try await page.press("Go live")
            try await page.wait("/LIVE/.test(document.querySelector('h1').innerText)", "it is live", within: .seconds(30))
            try await page.wait("/Connected/.test(strata.rows('Outputs').join())", "the output is connected")
            let paths = "strata.rows('\(Self.seen)')"
            try await page.wait(
                "\(paths).filter(row => /^modem[0-2] .*Mbit.s.* ms.* %/.test(row)).length === 3",
                "three paths arrive, each with its link, rate, round trip and loss")
            try await studio.record("show", seconds: 2)
            // Each link's minute as a drawing, on the sender's side and on the receiver's.
            let drawn =
                "document.querySelectorAll('.link .chart canvas').length >= 9 && strata.table('\(Self.seen)').querySelectorAll('canvas').length === 3"
            try await page.wait(drawn, "each link and each path is drawn")
            try await page.wait("/\\d+ ms of a buffer of 1,000 ms/.test(document.body.innerText)", "the latency is told")
            try await page.wait(
                "document.querySelector('.thumbnail[data-at] canvas')?.width === 320", "its picture is shown", within: .seconds(8))
            let said = "document.querySelector('.thumbnail canvas').getAttribute('aria-label')"
            #expect(try await page.run(said) as? String == "The picture of " + hostile)
            try await browser.screenshot("2-live")
            try await page.press("Stop")
            try await page.see("see the end at once")
            _ = try await page.run("strata.named('dialog button', 'Stop').click()")
            try await page.see("Start another one", within: .seconds(20))
            #expect(try await page.run("document.querySelector('.thumbnail') === null") as? Bool == true, "its picture is gone")
            try await page.press("Broadcasts")
            try await page.wait("/stopped/.test(strata.rows('Ended').join())", "it is among those that ended")
            try await browser.screenshot("3-stopped")

            // The session is the cookie's, which no script can read; nothing else is kept.
            #expect(try await page.run("document.cookie + localStorage.length + sessionStorage.length") as? String == "00")
            try await page.go("/senders")
            try await page.wait("/Online/.test(document.querySelector('.sender')?.innerText)", "still signed in")
            #expect(try await page.run("typeof window.owned") as? String == "undefined")
            #expect(browser.takeComplaints() == [])
            try await page.leave()
            #expect(try await page.run("location.pathname") as? String == "/login")
            try await studio.expectNothingLeft(sender.id)
        }
    }

    @Test("the page's policy runs no script but its own, and nobody frames it, signs for it or listens in", .row("SEC-17"))
    func hostilePage() async throws {
        try await atFrontDesk { desk in
            let loop = try Loop(name: "evil")
            // Of the same site as the page, by the same address: cookies alone would not tell them apart.
            let evil = Server(
                configuration: ServerConfiguration(listeners: [Listener(try #require(SocketAddress("127.0.0.1", port: 0)))]), loops: [loop]
            ) { _ in Response(.ok, headers: ["Content-Type": "text/html"], body: .bytes(Array("<!doctype html><p>evil".utf8))) }
            let other = "http://\(try await evil.start()[0])"
            let page = try await Dashboard.opened(on: desk.stage, at: desk.server, desk.installation.ownerPassword), browser = page.browser
            try await browser.screenshot("0-no-sender")
            // Who has the session's cookie is signed in: no script has.
            #expect(try await browser.value("document.cookie") as? String == "")
            let session = try #require(
                try await browser.cookies(of: desk.server + "/api/v1/auth/").first { $0["name"] as? String == "strata_refresh" })
            #expect(
                session["httpOnly"] as? Bool == true && session["secure"] as? Bool == true && session["sameSite"] as? String == "Strict")
            // What a hole in the page would try.
            for attack in [
                "document.body.append(Object.assign(document.createElement('script'), { textContent: 'window.owned = 1' }))",
                "document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=\"window.owned=1\">')",
                "document.body.append(Object.assign(document.createElement('a'), { href: 'javascript:window.owned=1', id: 'link' })); document.getElementById('link').click()",
                "document.body.append(Object.assign(document.createElement('script'), { src: '\(other)/x.js' }))",
                "document.body.append(Object.assign(document.createElement('script'), { src: 'data:text/javascript,window.owned=1' }))",
                "document.body.append(Object.assign(document.createElement('iframe'), { src: '\(other)' }))",
                "document.body.append(Object.assign(document.createElement('base'), { href: '\(other)' }))",
                "document.body.append(Object.assign(document.createElement('object'), { data: '\(other)' }))",
            ] {
                _ = try await browser.value(attack + "; undefined")
                try await browser.wait(for: "true", "settled")
            }
            for attack in [
                "fetch('\(other)').then(() => 'sent', () => 'blocked')",
                "new Promise(done => { try { const s = new WebSocket('\(other)'.replace('http', 'ws')); s.onopen = () => done('sent'); s.onerror = () => done('blocked') } catch { done('blocked') } })",
                "(() => { try { return eval('\"sent\"') } catch { return 'blocked' } })()",
                "(() => { try { return new Function('return \"sent\"')() } catch { return 'blocked' } })()",
            ] {
                #expect(try await browser.value(attack) as? String == "blocked", "\(attack)")
            }
            #expect(try await browser.value("typeof window.owned") as? String == "undefined")
            let blocked = browser.takeComplaints().filter { $0.contains("Content Security Policy") }
            #expect(blocked.count >= 8, "\(blocked)")

            // What another page tries with the cookie that the browser sends along.
            try await browser.open(other + "/")
            let api = desk.server + "/api/v1"
            let attempts = [
                "fetch('\(api)/auth/refresh', { method: 'POST', credentials: 'include' }).then(r => r.text(), () => 'blocked')",
                "fetch('\(api)/auth/refresh', { method: 'POST', credentials: 'include', mode: 'no-cors' }).then(r => r.type === 'opaque' ? 'blocked' : 'read')",
                "fetch('\(api)/senders', { credentials: 'include' }).then(r => r.text(), () => 'blocked')",
                "fetch('\(api)/auth/logout', { method: 'POST', credentials: 'include', headers: { Authorization: 'Bearer x' } }).then(r => r.text(), () => 'blocked')",
                "new Promise(done => { const s = new WebSocket('\(api)/live?ticket=x'.replace('http', 'ws')); s.onopen = () => done('open'); s.onerror = () => done('blocked') })",
                "new Promise(done => { const f = document.createElement('iframe'); f.src = '\(desk.server)/'; f.onload = () => { try { done(f.contentWindow.document.body.innerText) } catch { done('blocked') } }; document.body.append(f) })",
            ]
            for attempt in attempts { #expect(try await browser.value(attempt) as? String == "blocked", "\(attempt)") }
            #expect(browser.takeComplaints().contains { $0.contains("frame") }, "the page was framed")
            // None of it has used the refresh token up: the owner is still signed in.
            try await browser.go(to: desk.server + "/")
            try await page.connected()
            await evil.shutdown(grace: .zero)
            loop.stop()
        }
    }

    @Test("every answer says what it is, that nothing may frame or guess it, and what may be kept of it")
    func headers() async throws {
        try await atFrontDesk { desk in
            let owner = try await desk.owner()
            let document = try await desk.visitor().get("/api/v1/openapi.json").object()["paths"] as? [String: [String: Any]]
            var requests: [(Visitor, String, String)] = []
            for (path, methods) in try #require(document) {
                let whole = path.replacing(#/{[a-z]+}/#, with: "01ARZ3NDEKTSV4RRFFQ69G5FAV")
                for method in methods.keys {
                    requests += [(owner, method.uppercased(), whole), (desk.visitor(), method.uppercased(), whole)]
                }
            }
            for path in ["/api/v1/nothing", "/api/v1/senders/x"] { requests += ["GET", "OPTIONS", "TRACE"].map { (owner, $0, path) } }
            // Whoever signs out is out: last.
            requests.sort { left, right in !left.2.hasSuffix("/logout") && right.2.hasSuffix("/logout") }
            for (who, method, path) in requests {
                try judge(try await who.send(method, path, method == "GET" ? nil : "{}"), "\(method) \(path)")
            }
            #expect(requests.count > 60)
            let page = try await served(desk, "/", "text/html")
            #expect(page.matches(of: #/<script[^>]*>/#).allSatisfy { $0.output.contains("src=\"/") }, "a script in the page")
            #expect(page.firstMatch(of: #/ on[a-z]+=|style=|javascript:|https?:\/\//#) == nil, "code or addresses in the page")
            #expect(try await served(desk, "/senders/01ARZ3NDEKTSV4RRFFQ69G5FAV", "text/html") == page)
            let files = page.matches(of: #/"(\/assets\/[^"]+)"/#).map { String($0.output.1) }
            #expect(Set(files.map { $0.split(separator: ".").last ?? "" }) == ["js", "css"], "\(files)")
            for file in files {
                _ = try await served(desk, file, file.hasSuffix("css") ? "text/css" : "text/javascript", kept: "immutable")
            }
        }
    }

    /// What another client gets, with what it says of it.
    private func served(_ desk: FrontDesk, _ path: String, _ type: String, kept: String = "no-cache") async throws -> String {
        let answer = try await runTool("curl", ["-s", "-i", desk.server + path]).text.components(separatedBy: "\r\n\r\n")
        let head = answer[0].lowercased()
        for field in [
            " 200 ", "content-type: \(type)", "x-content-type-options: nosniff", "frame-ancestors 'none'", "x-frame-options: deny", kept,
        ] {
            #expect(head.contains(field), "\(path): \(head)")
        }
        return answer.dropFirst().joined(separator: "\r\n\r\n")
    }

    private func judge(_ answer: Reply, _ what: String) throws {
        let policy = answer.headers["content-security-policy"] ?? ""
        // What asks for no WebSocket where there is one is answered before any page could be meant.
        let own = answer.status == 426 ? [] : ["script-src 'self'", "base-uri 'none'"]
        for part in ["default-src 'none'", "frame-ancestors 'none'"] + own {
            #expect(policy.contains(part), "\(what): \(policy)")
        }
        #expect(!policy.contains("unsafe"), "\(what): \(policy)")
        #expect(answer.headers["x-content-type-options"] == "nosniff" && answer.headers["x-frame-options"] == "DENY", "\(what)")
        #expect(answer.headers["referrer-policy"] == "no-referrer", "\(what)")
        // The doors of rooms take pages of any origin: a pass is shown there, and no cookie is read.
        let isDoor = ["/whip/", "/whep/"].contains { what.contains($0) }
        if !isDoor { #expect(answer.headers["access-control-allow-origin"] == nil, "\(what)") }
        if answer.status != 204 {
            #expect(answer.headers["cache-control"]?.contains("no-") == true, "\(what): \(answer.status) may be cached")
        }
        for cookie in answer.headers.all("set-cookie") {
            for part in ["HttpOnly", "Secure", "SameSite=Strict", "Path=/api/v1/auth"] {
                #expect(cookie.contains(part), "\(what): \(part)")
            }
            #expect(!cookie.contains("Domain="), "\(what)")
        }
    }
}
