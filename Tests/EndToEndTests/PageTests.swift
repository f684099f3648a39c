import Foundation
import HTTP
import Posix
import Support
import Testing
import Units
import Web
import Wire

/// The page in a real browser, and what a hostile one beside it may not do (THREATS 11 and 16).
@Suite(.serialized)
struct PageTests {
    @Test(
        "somebody signs in, starts a broadcast, sees it live and stops it, and hostile names are only shown",
        .row("CTL-03", "CTL-04", "CTL-09", "BND-04", "BND-06"))
    func broadcast() async throws {
        try await inStudio { studio in
            let sender = try await studio.sender()
            let hostile = "<img src=x onerror=window.owned=1>"
            let _: SenderView = try await studio.owner.call(.patch, "/senders/\(sender.id)", ["name": hostile])
            _ = try await studio.destination("</script><script>window.owned=2</script>", url: studio.nginx.url(), secret: "show")
            let browser = try await Chromium(on: studio.stage)
            try await browser.open(studio.owner.server + "/")
            try await browser.wait(for: "!document.querySelector('#login').hidden", "the form is shown")
            try await browser.screenshot("1-sign-in")
            try await browser.signIn("owner@example.org", "wrong password")
            try await browser.wait(
                for: "document.querySelector('#login .error').textContent.includes('belong together')", "a wrong password is named")
            _ = browser.takeComplaints()
            try await browser.signIn("owner@example.org", studio.installation.ownerPassword)
            try await browser.wait(for: "document.querySelector('.sender .presence')?.textContent === 'online'", "the sender is online")
            #expect(try await browser.value("document.querySelector('.sender .name').textContent") as? String == hostile)
            #expect(try await browser.value("document.querySelectorAll('.sender .links tbody tr').length") as? Int ?? 0 >= 3)
            try await browser.wait(for: "document.querySelectorAll('.destinations input').length === 1", "the destination is offered")

            // Without a destination nothing starts.
            _ = try await browser.value("document.querySelector('.destinations input').checked = false")
            _ = try await browser.value("document.querySelector('form.start button').click()")
            try await browser.wait(
                for: "[...document.querySelectorAll('.sender .error')].some(text => text.textContent.includes('at least one destination'))",
                "the missing destination is named")
            _ = try await browser.value("document.querySelector('.destinations input').checked = true")
            _ = try await browser.value("document.querySelector('form.start input[name=bitrate]').value = '0.8'")
            _ = try await browser.value("document.querySelector('form.start button').click()")
            try await browser.wait(
                for: "document.querySelector('.sender .state').textContent === 'live'", "it is live", within: .seconds(30))
            try await browser.wait(
                for: "[...document.querySelectorAll('.outputs td')].some(cell => cell.textContent === 'connected')",
                "the output is connected")
            try await browser.wait(
                for: "[...document.querySelectorAll('.paths tr')].filter(row => /Mbit.s.* ms.* %/.test(row.textContent)).length === 3",
                "three paths arrive, each with its rate, round trip and loss")
            let names = "[...document.querySelectorAll('.paths tbody tr')].map(row => row.textContent.split(',')[0]).sort().join()"
            #expect(try await browser.value(names) as? String == "modem0,modem1,modem2")
            try await studio.record("show", seconds: 2)
            // Each link's minute as a drawing, on the sender's side with what it could carry, and on the receiver's.
            try await browser.wait(
                for:
                    "document.querySelectorAll('.links .graph .area').length >= 3 && document.querySelectorAll('.links .limit').length >= 3",
                "each link is drawn")
            try await browser.wait(for: "document.querySelectorAll('.paths .graph .area').length === 3", "each path is drawn")
            try await browser.wait(
                for: "/latency [0-9]+ ms of 1000/.test(document.querySelector('.facts').textContent)", "the latency is told")
            try await browser.wait(
                for: "document.querySelector('.sender .thumbnail:not([hidden]) canvas')?.width === 320", "its picture is shown",
                within: .seconds(8))
            let said = "document.querySelector('.thumbnail canvas').getAttribute('aria-label')"
            #expect(try await browser.value(said) as? String == "The picture of " + hostile)
            try await browser.screenshot("2-live")
            _ = try await browser.value("document.querySelector('button.stop').click()")
            try await browser.wait(for: "document.querySelectorAll('#past-list tr').length === 1", "it is among those that ended")
            try await browser.wait(for: "document.querySelector('.sender .thumbnail').hidden", "its picture is gone")
            #expect(try await browser.value("document.querySelector('#past-list').innerText.includes('stopped')") as? Bool == true)
            try await browser.screenshot("3-stopped")

            // The session is the cookie's, which no script can read; nothing else is kept.
            #expect(try await browser.value("document.cookie + localStorage.length + sessionStorage.length") as? String == "00")
            try await browser.go(to: studio.owner.server + "/?again")
            try await browser.wait(for: "document.querySelector('.sender .presence')?.textContent === 'online'", "still signed in")
            #expect(try await browser.value("typeof window.owned") as? String == "undefined")
            #expect(browser.takeComplaints() == [])
            _ = try await browser.value("document.querySelector('#logout').click()")
            try await browser.wait(for: "document.querySelector('#login')?.hidden === false", "signed out")
            try await studio.expectNothingLeft(sender.id)
        }
    }

    @Test("the page's policy runs no script but its own, and nobody frames it, signs for it or listens in")
    func hostilePage() async throws {
        try await atFrontDesk { desk in
            let loop = try Loop(name: "evil")
            // Of the same site as the page, by the same address: cookies alone would not tell them apart.
            let evil = Server(
                configuration: ServerConfiguration(listeners: [Listener(try #require(SocketAddress("127.0.0.1", port: 0)))]), loops: [loop]
            ) { _ in Response(.ok, headers: ["Content-Type": "text/html"], body: .bytes(Array("<!doctype html><p>evil".utf8))) }
            let other = "http://\(try await evil.start()[0])"
            let browser = try await Chromium(on: desk.stage)
            try await browser.open(desk.server + "/")
            try await browser.wait(for: "!document.querySelector('#login').hidden", "the form is shown")
            try await browser.signIn("owner@example.org", desk.installation.ownerPassword)
            try await browser.wait(for: "document.querySelector('#connection').textContent === 'connected'", "signed in")
            // Whether somebody is signed in is asked by a refresh.
            #expect(browser.takeComplaints().filter { !$0.contains("status of 401") } == [])

            try await browser.screenshot("0-no-sender")
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
            try await browser.wait(for: "document.querySelector('#connection').textContent === 'connected'", "still signed in")
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
            for (path, type) in [
                ("/", "text/html"), ("/page.js", "text/javascript"), ("/graph.js", "text/javascript"), ("/slate.js", "text/javascript"),
                ("/thumbnails.js", "text/javascript"),
                ("/modems.js", "text/javascript"),
                ("/page.css", "text/css"),
            ] {
                let answer = try await runTool("curl", ["-s", "-i", desk.server + path]).text
                #expect(answer.contains("content-type: \(type)") || answer.contains("Content-Type: \(type)"), "\(answer.prefix(600))")
                let head = answer.components(separatedBy: "\r\n\r\n")[0].lowercased()
                for field in [
                    "x-content-type-options: nosniff", "frame-ancestors 'none'", "x-frame-options: deny", "cache-control: no-cache",
                ] {
                    #expect(head.contains(field), "\(path): \(head)")
                }
                let body = answer.components(separatedBy: "\r\n\r\n").dropFirst().joined()
                if path == "/" {
                    #expect(body.matches(of: #/<script[^>]*>/#).allSatisfy { $0.output.contains("src=\"/") }, "a script in the page")
                    #expect(body.firstMatch(of: #/ on[a-z]+=|style=|javascript:|https?:\/\//#) == nil, "code or addresses in the page")
                }
            }
        }
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
        #expect(answer.headers["access-control-allow-origin"] == nil, "\(what)")
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

extension Chromium {
    /// As a person does it: fields, then the button.
    func signIn(_ email: String, _ password: String) async throws {
        let set = "(name, text) => { document.querySelector('#login [name=' + name + ']').value = text }"
        _ = try await value("(\(set))('email', '\(email)')")
        _ = try await value("(\(set))('password', '\(password)')")
        _ = try await value("document.querySelector('#login button').click()")
    }
}
