import Crypto
import Foundation
import Posix
import Support
import Testing
import Units
import Web
import Wire

/// The one address that people use: page, API and live feed, over TLS.
@Suite(.serialized, .unlessStolen)
struct SecureTests {
    @Test("a person signs in and watches at one https address, under an authority of the installation's own", .row("CTL-10"))
    func person() async throws {
        try await atFrontDesk { desk in
            let server = desk.installation.origin
            let login = LoginRequest(
                email: "owner@example.org", password: SecretOnWire(Secret(desk.installation.ownerPassword)), organization: nil)
            // Without the authority nothing is said, the password least of all.
            let careful = try Browser(server: server)
            await #expect {
                _ = try await careful.answer(.post, "/auth/login", login)
            } throws: { error in
                if case ClientError.untrusted = error { true } else { false }
            }
            let owner = try Browser(server: server)
            try owner.trust(desk.stage.folder["authority/ca.pem"])
            let entered = try await owner.answer(.post, "/auth/login", login)
            #expect(entered.status.code == 200)
            let cookie = try #require(entered.headers.all("set-cookie").first)
            for part in ["HttpOnly", "Secure", "SameSite=Strict", "Path=/api/v1/auth"] { #expect(cookie.contains(part), "\(cookie)") }
            try await owner.signIn(email: "owner@example.org", password: desk.installation.ownerPassword)

            // The feed over wss moves: a board comes and goes.
            owner.watch()
            let board = try await desk.board(of: try await desk.owner())
            let (socket, device) = (try await board.connect(), board.identity.device)
            try await eventually(within: .seconds(5), "the board is shown online") { try owner.sender(device)?.online == true }
            await socket.close()
            try await eventually(within: .seconds(5), "the board is shown offline") { try owner.sender(device)?.online == false }
            owner.close()
            // What was used was TLS to the end, by the word of another implementation.
            let whole = try await runTool(
                "curl",
                [
                    "-s", "-m", "5", "--cacert", desk.stage.folder["authority/ca.pem"], "-o", "/dev/null", "-w",
                    "%{http_code} %{ssl_verify_result} %{content_type}", server + "/",
                ])
            #expect(whole.text.hasPrefix("200 0 text/html"), "\(whole.text)")
        }
    }

    @Test("whoever speaks plain http to the https port is cut off at once and told nothing, and others go on", .row("CTL-10"))
    func plain() async throws {
        try await atFrontDesk { desk in
            let owner = try Browser(server: desk.installation.origin)
            try owner.trust(desk.stage.folder["authority/ca.pem"])
            try await owner.signIn(email: "owner@example.org", password: desk.installation.ownerPassword)
            let feed = try await owner.open()
            let place = desk.installation.origin.dropFirst("https://".count)
            for request in [
                "GET / HTTP/1.1\\r\\nHost: \(place)\\r\\n\\r\\n",
                "GET /api/v1/live HTTP/1.1\\r\\nHost: \(place)\\r\\nConnection: Upgrade\\r\\nUpgrade: websocket\\r\\n\\r\\n",
                "POST /api/v1/auth/login HTTP/1.1\\r\\nHost: \(place)\\r\\nContent-Length: 2\\r\\n\\r\\n{}",
            ] {
                let script = """
                    import socket, sys, time
                    host, port = sys.argv[1].rsplit(":", 1)
                    s = socket.create_connection((host, int(port))); s.settimeout(5)
                    began, said = time.monotonic(), b""
                    s.sendall(b"\(request)")
                    try:
                        while part := s.recv(4096): said += part
                    except ConnectionResetError: pass
                    print(int((time.monotonic() - began) * 1000), said.hex())
                    """
                let answer = try await runTool("python3", ["-c", script, String(place)]).text.split(whereSeparator: \.isWhitespace)
                let took = try #require(answer.first.flatMap { Int($0) })
                measured("plain http at the https port: closed after", .milliseconds(took))
                #expect(took < 1000)
                // At most an alert of TLS (RFC 8446, 6): a record of type 21 with two bytes.
                let said = answer.dropFirst().first ?? ""
                #expect(said.isEmpty || (said.hasPrefix("15") && said.count == 14), "\(said)")
            }
            let user: UserView = try await owner.call(.get, "/auth/me")
            #expect(user.email == "owner@example.org" && feed.closeCode == nil)
            await feed.close()
        }
    }

    @Test("a real browser loads the page over https, signs in, is connected over wss, and stays signed in", .row("CTL-10", "CTL-03"))
    func page() async throws {
        try await atFrontDesk { desk in
            let server = desk.installation.origin
            let browser = try await Chromium(on: desk.stage, believing: desk.stage.folder["authority/chain.pem"])
            let page = Dashboard(browser: browser, server: server)
            try await browser.open(server + "/")
            try await page.enter("owner@example.org", desk.installation.ownerPassword)
            let secure =
                "isSecureContext && location.protocol === 'https:' && performance.getEntriesByType('resource').every(e => e.name.startsWith('https:'))"
            #expect(try await browser.value(secure) as? Bool == true)
            #expect(try await browser.value("document.cookie") as? String == "")
            let cookie = try #require(
                try await browser.cookies(of: server + "/api/v1/auth/").first { $0["name"] as? String == "strata_refresh" })
            #expect(cookie["secure"] as? Bool == true && cookie["httpOnly"] as? Bool == true && cookie["sameSite"] as? String == "Strict")
            try await page.go("/senders")
            try await page.connected()
            #expect(browser.takeComplaints() == [])
        }
    }
}
