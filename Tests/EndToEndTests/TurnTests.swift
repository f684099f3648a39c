import Foundation
import HTTP
import Lab
import Support
import Testing
import Units
import Web
import Wire

/// Guests behind firewalls: by which way they meet the others, what they are told of it, and what a relay lets nobody do.
@Suite(.serialized, .unlessStolen)
struct TurnTests {
    @Test(
        "behind a firewall that lets TCP 443 alone pass a guest is told so, and meets the others; nobody gets anywhere else by the relay",
        .row("ROM-09"))
    func fence() async throws {
        let machine = try HostNetwork()
        defer { machine.remove() }
        try await wall(machine.host)
        let coturn = try Coturn(at: machine.gateway)
        let folder = try TemporaryFolder()
        // It goes with its last use.
        defer { _ = folder.path }
        var settings = Installation.Settings()
        settings.hasPool = false
        settings.tlsPort = 443
        settings.hostName = Coturn.name
        settings.sections = try coturn.section(in: folder)
        try await onStage { [settings] stage in
            let desk = try await FrontDesk(on: stage, cloud: machine.gateway, settings)
            let authority = stage.folder["authority"]
            try await coturn.serving(on: stage, authority: authority) {
                let made = try await desk.owner().post("/meetings", #"{"title":"Talk","settings":{"guestAccess":"open"}}"#)
                let path = "/demo/m/\(try made.text("slug"))"
                let host = try await Attendee("Owner", at: desk, as: "owner@example.org", desk.installation.ownerPassword)
                let browser = try await Chromium(
                    on: stage, believing: "\(authority)/chain.pem", hasCamera: true, in: (machine.host, machine.gateway))
                let guest = try await Attendee("Gina", at: desk, with: (browser, "https://\(Coturn.name)"))
                try await tried(host, guest)
                for one in [host, guest] { try await one.enter(path) }
                for (one, other) in [(host, guest), (guest, host)] {
                    try await one.gets(voices: 1, pictures: 1, "\(other.name) comes")
                    try await one.sees(other.name)
                }
                // Both ways of hers, and by nothing else.
                #expect(try await guest.page.run(Self.ways) as? String == "relay tls,relay tls")
                #expect(try await host.page.run("\(Self.ways).then(all => all.includes('relay'))") as? Bool == false)
                let report = try await TurnClient.report(
                    on: coturn, at: machine.gateway, authority: "\(authority)/ca.pem", other: machine.address)
                expect(report, of: machine)
            }
        }
    }

    @Test("whoever tries their network without an account gets one answer at a time, so often, and no page of another origin any")
    func strangers() async throws {
        try await inRooms { desk, _ in
            let client = desk.visitor().client
            let url = "ws" + desk.server.dropFirst(4) + "/api/v1/network-test"
            await #expect(throws: WebSocketError.refused(status: 403)) {
                _ = try await client.webSocket(url, headers: ["Origin": "https://example.org"])
            }
            let socket = try await client.webSocket(url)
            guard case .ways(let ways) = try await Self.next(socket) else { throw SupportFailure("nothing is told") }
            #expect(ways.hasRooms && ways.iceServers.isEmpty && ways.seconds == 30)
            try await socket.send(Self.offer(RoomDoors.offer("sendonly")))
            guard case .answer(let answer) = try await Self.next(socket) else { throw SupportFailure("no answer") }
            #expect(answer.answer.contains("a=ice-lite") && answer.answer.contains("typ host"))
            try await socket.send(Self.offer(RoomDoors.offer("sendonly")))
            #expect(try await socket.receive() == nil, "one offer is all")
            for (text, isAnswered) in [(try Self.offer("v=1"), true), ("[]", false)] {
                let other = try await client.webSocket(url)
                _ = try await Self.next(other)
                try await other.send(text)
                guard isAnswered else {
                    #expect(try await other.receive() == nil)
                    continue
                }
                guard case .refused(let refusal) = try await Self.next(other) else { throw SupportFailure("an answer to nothing") }
                #expect(!refusal.text.isEmpty && refusal.text.isPlain)
                await other.close()
            }
            // The first was refused before it was counted.
            for _ in 3..<12 {
                let one = try await client.webSocket(url)
                await one.close()
            }
            await #expect(throws: WebSocketError.refused(status: 429)) { _ = try await client.webSocket(url) }
        }
    }

    private static func offer(_ sdp: String) throws -> String {
        String(decoding: try JSONEncoder().encode(NetworkTestOffer(offer: sdp)), as: UTF8.self)
    }

    private static func next(_ socket: WebSocket) async throws -> NetworkTestMessage {
        guard case .text(let text)? = try await socket.receive() else { throw SupportFailure("it is over") }
        return try JSONDecoder().decode(NetworkTestMessage.self, from: Data(text.utf8))
    }

    /// What each of the two networks lets through, by the page that tells it.
    private func tried(_ host: Attendee, _ guest: Attendee) async throws {
        let found = "document.querySelector('[data-verdict]')?.dataset.verdict"
        let outcomes = "[...document.querySelectorAll('[data-way]')].map(one => one.dataset.outcome).join()"
        for (one, verdict) in [(host, "good"), (guest, "relayed")] {
            try await one.page.go("/network-test")
            try await one.page.wait("\(found) === '\(verdict)'", "\(one.name) is told '\(verdict)'", within: .seconds(40))
            #expect(try await one.page.faults() == [], "\(one.name)")
        }
        #expect(try await guest.page.run(outcomes) as? String == "passes,passes,blocked,blocked,blocked,passes")
        try await guest.page.see("The straight way (UDP) is blocked")
        try await guest.page.press("Try camera and microphone")
        try await guest.page.see("You can be heard")
        try await guest.page.browser.screenshot("app-network-1-relayed")
    }

    private func expect(_ report: TurnClient.Report, of machine: HostNetwork) {
        #expect(report.ways == ["udp": 0, "tcp": 0, "tls": 0])
        #expect(report.forged == 401 && report.over == 401, "\(report)")
        for (peer, code) in report.peers { #expect((code == 0) == (peer == machine.gateway), "\(peer): \(code)") }
        #expect(report.peers[machine.address] == 403)
        #expect(report.heard == ["worker"], "an allowed address has other services too")
        #expect(report.most == 30 && report.refusal == 486, "\(report)")
    }

    /// Of the PeerConnections that are there, how the media of each go.
    private static let ways = """
        Promise.all(test.peers.filter(one => one.connectionState === 'connected').map(async one => {
          const all = await one.getStats(), way = [...all.values()].find(each => each.type === 'transport')?.selectedCandidatePairId;
          const own = all.get(all.get(way)?.localCandidateId);
          return `${own?.candidateType} ${own?.relayProtocol}`;
        })).then(all => all.join())
        """

    /// Out goes TCP to port 443, and in comes what answers that.
    private func wall(_ machine: NetworkNamespace) async throws {
        let rules = """
            table inet fence {
                chain out { type filter hook output priority 0; policy drop; oifname "lo" accept; tcp dport 443 accept; }
                chain in { type filter hook input priority 0; policy drop; iifname "lo" accept; tcp sport 443 accept; }
            }
            """
        let line = machine.command(["nft", rules])
        _ = try await runTool(line[0], Array(line.dropFirst()))
    }
}
