import Posix
import Testing
import Wire

@testable import Portals

@Suite struct ObstacleTests {
    private func sighting(_ status: Int, _ location: String? = nil, host: String = "live.example.org") -> PageSighting {
        PageSighting(status: status, location: location, host: host)
    }

    @Test(
        "a redirect to another host is one, by that host's name alone",
        arguments: [
            ("http://portal.hotel.example/login?u=http://live.example.org/", "portal.hotel.example"),
            ("HTTPS://Portal.Example:8443", "portal.example"),
            ("//login.example/x", "login.example"), ("http://192.168.8.1/html/index.html", "192.168.8.1"),
            ("http://[fd00::1]/x", "fd00::1"),
            ("http://live.example.org@evil.example/", "evil.example"), ("http://notlive.example.org/", "notlive.example.org"),
            ("http://live.example.org.evil.example/", "live.example.org.evil.example"), ("http://org/", "org"),
            ("http://evil\u{202E}gro.example/", nil), ("http://a b/", nil), ("http:///x", nil), ("http://ev\u{0}il.example/", nil),
            ("http://\(String(repeating: "a", count: 254))/", nil),
        ] as [(String, String?)])
    func elsewhere(_ location: String, _ host: String?) {
        for status in [301, 302, 303, 307, 308] { #expect(sighting(status, location) == .elsewhere(host: host)) }
    }

    @Test(
        "what any server says to a page that it has not is none",
        arguments: [
            "https://live.example.org/strata", "https://LIVE.example.org:8443/", "https://www.live.example.org/", "https://example.org/",
            "/login",
            "login", "", "mailto:a@b", "ftp://portal.example/",
        ])
    func ordinary(_ location: String) {
        #expect(sighting(302, location) == .ordinary)
        #expect(sighting(404, location) == .ordinary && sighting(200, location) == .page)
    }

    @Test("a page, and the status for it, are sightings; errors are not")
    func statuses() {
        #expect(sighting(200) == .page && sighting(511) == .signIn)
        for status in [204, 302, 304, 400, 401, 403, 404, 410, 421, 426, 500, 503] { #expect(sighting(status) == .ordinary) }
        #expect(sighting(302, "http://203.0.113.9/", host: "203.0.113.9") == .ordinary)
    }

    @Test("whoever has the server's key is the server, whatever else answers beside it")
    func verdicts() {
        func obstacle(_ server: ServerSighting, _ page: PageSighting, usual: PageSighting? = nil) -> Obstacle? {
            Examination(server: server, page: page, usual: usual).obstacle
        }
        let elsewhere = PageSighting.elsewhere(host: "portal.example")
        for page in [elsewhere, .page, .signIn, .ordinary] { #expect(obstacle(.itself, page) == nil) }
        #expect(obstacle(.nothing, elsewhere, usual: .ordinary) == .portal(host: "portal.example"))
        #expect(obstacle(.nothing, .page, usual: .ordinary) == .portal(host: nil) && obstacle(.nothing, .signIn) == .portal(host: nil))
        #expect(obstacle(.nothing, .ordinary, usual: .ordinary) == nil)
        #expect(obstacle(.somebodyElse("self-signed"), .ordinary) == .impostor("self-signed"))
        #expect(obstacle(.somebodyElse("self-signed"), elsewhere, usual: .ordinary) == .portal(host: "portal.example"))
        // A server that is down, and whose host says at port 80 what it likes: nobody is there to tell whose words they are.
        #expect(obstacle(.nothing, elsewhere) == nil && obstacle(.nothing, .page) == nil)
        #expect(obstacle(.somebodyElse("self-signed"), elsewhere) == .impostor("self-signed"))
        // The same over a link that reaches the server: it is the server's own.
        #expect(obstacle(.nothing, elsewhere, usual: elsewhere) == nil && obstacle(.nothing, .page, usual: .page) == nil)
        #expect(obstacle(.nothing, elsewhere, usual: .elsewhere(host: "other.example")) == .portal(host: "portal.example"))
        #expect(
            Obstacle.portal(host: "portal.example").words(on: "wlan0")
                == "a sign-in page of portal.example is in the way on wlan0: sign in there with a browser in the same network, or use another link"
        )
    }
}

@Suite struct RoundsTests {
    private let start = Instant(nanoseconds: 1_000_000_000_000)

    private func link(_ name: String, _ state: Link.State = .up, _ address: String = "10.0.0.2") -> Link {
        Link(name: name, kind: .wifi, state: state, addresses: state == .up ? [address] : [], mtu: 1500)
    }

    /// When it was looked at, in seconds from the start, if nobody else changes anything.
    private func looks(_ rounds: inout Rounds, _ count: Int, _ obstacle: Obstacle?) -> [Int] {
        (0..<count).map { _ in
            guard let next = rounds.next, let due = rounds.due(at: next) else { return -1 }
            rounds.looked(at: due, obstacle, at: next)
            return (next - start).milliseconds / 1000
        }
    }

    @Test("a link is looked at soon after it is up, then more and more rarely; what is in the way more often")
    func pauses() {
        var rounds = Rounds()
        rounds.update([link("wlan0")], proven: [], at: start)
        #expect(rounds.due(at: start) == nil)
        #expect(looks(&rounds, 7, nil) == [3, 63, 183, 423, 903, 1803, 2703])
        #expect(rounds.obstacles.isEmpty)
        #expect(looks(&rounds, 4, .portal(host: nil)) == [3603, 3623, 3663, 3723] && rounds.obstacles.count == 1)
        #expect(looks(&rounds, 2, nil) == [3783, 3843] && rounds.obstacles.isEmpty)
    }

    @Test("what is down or proven is not looked at, and nothing is in its way")
    func proven() {
        var rounds = Rounds()
        rounds.update([link("wlan0"), link("wwan0", .down), link("eth0")], proven: ["eth0"], at: start)
        #expect(looks(&rounds, 1, .portal(host: nil)) == [3] && rounds.obstacles.keys.sorted() == ["wlan0"])
        rounds.update([link("wlan0"), link("eth0")], proven: ["wlan0"], at: start)
        #expect(rounds.obstacles.isEmpty && rounds.next == start + .seconds(3), "eth0 is no longer proven")
        rounds.update([link("wlan0", .down)], proven: [], at: start)
        #expect(rounds.next == nil)
        // A look that was under way when its link went.
        rounds.looked(at: "wlan0", .portal(host: nil), at: start)
        #expect(rounds.obstacles.isEmpty)
    }

    @Test("another address is another network, looked at anew")
    func moved() {
        var rounds = Rounds()
        rounds.update([link("wlan0")], proven: [], at: start)
        _ = looks(&rounds, 3, .portal(host: nil))
        rounds.update([link("wlan0", .up, "192.168.1.7")], proven: [], at: start + .seconds(500))
        #expect(rounds.obstacles.isEmpty && rounds.next == start + .seconds(503))
        rounds.update([link("wlan0", .up, "192.168.1.7")], proven: [], at: start + .seconds(501))
        #expect(rounds.next == start + .seconds(503))
    }
}
