import Foundation
import Lab
import Posix
import Support
import Testing
import Units
import Wire

/// A broadcast to nowhere: what it shows, and that it is in nobody's way.
@Suite(.serialized, .unlessStolen) struct RehearsalTests {
    private static let encoder = EncoderChoice(bitrate: .kilobits(2000), width: 640, height: 360, frameRate: 25)

    /// One that does what it says, and one that is narrow and loses every eighth packet.
    private static var links: [LinkShape] {
        let up = LinkProfile(rateKbit: 600, delayMs: 60, queueMs: 300, loss: 0.12)
        return [Studio.link(4000, delayMs: 25), LinkShape(up: up, down: LinkProfile(rateKbit: 600, delayMs: 60, queueMs: 300))]
    }

    @Test("the report names the bad link and a bitrate, nothing is published meanwhile, and a start at that bitrate is live")
    func honest() async throws {
        try await unlessVoid { run in
            try await inStudio(links: Self.links) { studio in
                run.judge { studio.network.lateness }
                let sender = try await studio.sender(links: 2).id
                let platform = try await studio.destination("platform", url: studio.nginx.url(), secret: "show")
                let hook = WebhookRequest(url: "http://127.0.0.1:1/", description: "w", active: true)
                let webhook: IdentifiedView = try await studio.owner.call(.post, "/webhooks", hook)
                let before = (0...1).map { studio.network.count($0, .up).enteredBytes }
                let request = RehearsalRequest(sender: sender, encoder: Self.encoder, seconds: 16)
                let made: RehearsalView = try await studio.owner.call(.post, "/rehearsals", request)
                try need(made.state == .starting && made.asked == .kilobits(2000) && made.mostBytes > 4_000_000, "\(made)")
                let twice = try await studio.owner.refusal(.post, "/rehearsals", request)
                try need(twice.status == 409 && twice.detail?.contains("rehearsing already") == true, "\(twice)")
                try await studio.wait(made.id, for: .running)
                let test = try await studio.owner.refusal(.post, "/senders/\(sender)/speed-test", SpeedTestRequest(link: "modem0"))
                try need(test.detail?.contains("the sender is rehearsing") == true, "\(test)")
                let running = try await eventually(within: .seconds(20), "its second half has begun") {
                    try studio.owner.rehearsal(made.id).flatMap { $0.asked > .kilobits(2000) ? $0 : nil }
                }
                try need(running.endsAt != nil && running.encoder == Self.encoder, "\(running)")
                try await expectUnseen(studio, made.id)
                let ended = try await studio.wait(made.id, for: .ended)
                try judge(ended, studio, before)
                try need(try studio.nginx.recordings("show").isEmpty, "nothing was published")
                try await studio.expectNothingLeft(sender)
                let kinds = try await told(studio, webhook.id)
                measured("webhooks were told", "\(kinds.sorted())")
                try need(kinds.contains("rehearsal.started") && kinds.contains("rehearsal.ended"))
                try need(!kinds.contains { $0.hasPrefix("broadcast.") || $0.hasPrefix("output.") })

                var encoder = Self.encoder
                encoder.bitrate = try need(ended.report?.recommendation?.bitrate, "no recommendation")
                let id = try await studio.start(StartRequest(sender: sender, destinations: [platform], encoder: encoder))
                try await studio.owner.wait(id, for: ["live"])
                // It stays so: the links have something in reserve at this rate.
                try await Task.sleep(for: .seconds(8))
                let live = try need(try studio.owner.broadcast(id))
                measured(
                    "eight seconds at the recommended bitrate",
                    "\(live.state), \(live.ingest.map { "\($0.lostPacketsTotal) of \($0.deliveredPacketsTotal ?? 0) packets lost" } ?? "")")
                try need(live.state == "live", "\(live)")
                try await studio.stop(id)
            }
        }
    }

    private func judge(_ ended: RehearsalView, _ studio: Studio, _ before: [Int]) throws {
        let report = try need(ended.report)
        for link in report.links { measured(link.name, "\(link)") }
        measured(
            "verdict",
            "\(report.verdict): \(report.findings.map { "\($0.isFault ? "fault" : "warning") \($0.kind.rawValue) \($0.link ?? "") \($0.text)" })"
        )
        measured(
            "recommendation", "\(String(describing: report.recommendation)) of \(report.seconds) s, bond \(String(describing: report.bond))"
        )
        measured("asked and made, kbit/s", "\(report.asked) \(report.made)")
        try need((13...20).contains(report.seconds), "a report a second: \(report.seconds)")
        try need(report.findings.contains { $0.kind == .linkLoss && $0.link == "modem1" }, "the bad link is named")
        try need(!report.findings.contains { $0.link == "modem0" }, "and the good one is not")
        try need(report.verdict == .warnings || report.verdict == .notReady)
        let (good, bad) = (try need(report.links.first), try need(report.links.last))
        try need(good.carried && good.share > 0.6 && good.mtu == 1500 && good.liveShare == 1)
        try need((48...150).contains(good.rttMs ?? 0), "\(String(describing: good.rttMs))")
        try need((0.05...0.22).contains(bad.loss ?? 0), "\(String(describing: bad.loss))")
        // 4.6 Mbit/s less 12 % of the second: 70 % of that, less sound.
        let recommended = try need(report.recommendation)
        try need((800...3000).contains(recommended.bitrate.kilobits), "\(recommended)")
        let sent = (0...1).map { studio.network.count($0, .up).enteredBytes - before[$0] }
        measured("bytes", "\(report.links.map(\.sentBytes)) told, \(sent) by the emulator, \(ended.mostBytes) at most")
        // The emulator's have the start and the end in them, and the connection to control.
        try need(report.sentBytes < sent[0] + sent[1] && Double(report.sentBytes) > 0.5 * Double(sent[0] + sent[1]))
        try need(report.sentBytes < ended.mostBytes)
    }

    /// It is no broadcast in any list or figure.
    private func expectUnseen(_ studio: Studio, _ id: BroadcastID) async throws {
        let list: ListView<BroadcastView> = try await studio.owner.call(.get, "/broadcasts")
        try need(list.items.isEmpty && (try studio.owner.broadcast(id)) == nil)
        try need(try await studio.owner.refusal(.get, "/broadcasts/\(id)").status == 404)
        try need(try await studio.owner.refusal(.post, "/broadcasts/\(id)/stop").status == 404)
        let own: ListView<RehearsalView> = try await studio.owner.call(.get, "/rehearsals")
        try need(own.items.map(\.id) == [id])
    }

    private struct IdentifiedView: Codable { let id: String }
    private struct WebhookRequest: Codable { let url: String, description: String, active: Bool }
    private struct KindView: Codable { let kind: String }

    private func told(_ studio: Studio, _ webhook: String) async throws -> Set<String> {
        let deliveries: ListView<KindView> = try await studio.owner.call(.get, "/webhooks/\(webhook)/deliveries")
        return Set(deliveries.items.map(\.kind))
    }

    @Test("a show waits for no rehearsal, and none begins beside one; a control that was killed ends it, and so does a sender that is lost")
    func aside() async throws {
        try await inStudio(links: [Studio.link(4000, delayMs: 25), Studio.link(3000, delayMs: 35)]) { studio in
            let sender = try await studio.sender(links: 2).id
            let platform = try await studio.destination("platform", url: studio.nginx.url(), secret: "show")
            let request = RehearsalRequest(sender: sender, encoder: Studio.small, seconds: 60)
            func rehearse() async throws -> BroadcastID {
                let made: RehearsalView = try await studio.owner.call(.post, "/rehearsals", request)
                try await studio.wait(made.id, for: .running)
                return made.id
            }
            let overtaken = try await rehearse()
            let began = Instant.now
            let id = try await studio.start(StartRequest(sender: sender, destinations: [platform], encoder: Studio.small))
            measured("a start over a rehearsal is taken after", "\(Instant.now - began)")
            #expect(Instant.now - began < .seconds(4))
            try await studio.owner.wait(id, for: ["live"])
            measured("and is live after", "\(Instant.now - began)")
            let first = try await studio.wait(overtaken, for: .ended)
            #expect(first.reason == "the broadcast began" && first.report?.findings.contains { $0.kind == .cutShort } == true)
            let beside = try await studio.owner.refusal(.post, "/rehearsals", request)
            #expect(beside.status == 409 && beside.detail?.contains("already has a broadcast") == true)
            try await studio.stop(id)

            let cut = try await rehearse()
            try await studio.installation.program("control").kill9()
            try await studio.installation.startControl()
            let second = try await studio.wait(cut, for: .ended)
            #expect(second.reason == "the server was started again" && second.report?.verdict == .inconclusive)
            try await studio.expectNothingLeft(sender)

            _ = try await studio.sender(links: 2)
            let lost = try await rehearse()
            let gone = Instant.now
            try await studio.installation.program("sender").kill9()
            let third = try await studio.wait(lost, for: .ended)
            measured("a sender that is lost ends it after", "\(Instant.now - gone)")
            #expect(third.report?.verdict == .notReady && third.report?.findings.first?.kind == .vanished)
            try await studio.startSender()
            _ = try await studio.sender(links: 2)
            try await studio.expectNothingLeft(sender)
        }
    }

    @Test("a producer rehearses from the start page, sees the time that is left and each link, and takes the recommended bitrate")
    func page() async throws {
        try await inStudio(links: Self.links) { studio in
            let sender = try await studio.sender(links: 2).id
            _ = try await studio.destination("platform", url: studio.nginx.url(), secret: "show")
            let browser = try await Chromium(on: studio.stage)
            let page = Dashboard(browser: browser, server: studio.owner.server)
            try await browser.open(page.server + "/")
            try await page.see("Sign in")
            _ = browser.takeComplaints()
            try await page.fill("Mail address", "owner@example.org")
            try await page.fill("Password", studio.installation.ownerPassword)
            try await page.press("Sign in")
            try await page.see("1 of 1", within: .seconds(20))
            try await page.go("/senders/\(sender)/start")
            try await page.see("It takes up to")
            try await page.press("Rehearse")
            try await page.see("left", within: .seconds(30))
            try await page.see("First half: 2.50 Mbit/s")
            try await page.see("modem1")
            try await survey(page, "running")
            try await Task.sleep(for: .seconds(8))
            try await page.press("Stop the rehearsal")
            try await page.see("It was over before its time.", within: .seconds(20))
            try await page.see("modem1 loses")
            try await page.see("Recommended:")
            try await survey(page, "report")
            let use = try #require(
                await page.run("[...document.querySelectorAll('button')].map(one => one.innerText).find(one => /^Use /.test(one))")
                    as? String)
            try await page.press(use)
            let ended = try #require(try await studio.owner.rehearsals().first)
            let wanted = try #require(ended.report?.recommendation?.bitrate)
            try await page.wait(
                "Math.abs(Number(document.querySelector('[name=bitrate]').value) * 1e6 - \(wanted.bitsPerSecond)) < 1", "the form has it")
            #expect(browser.takeComplaints() == [])
        }
    }

    /// In both themes, from a telephone to a desk.
    private func survey(_ page: Dashboard, _ name: String) async throws {
        for theme in ["dark", "light"] {
            _ = try await page.run("document.documentElement.dataset.theme = '\(theme)'")
            for width in [360, 900, 1280] {
                try await page.browser.resize(width: width, height: width < 600 ? 740 : 860)
                #expect(try await page.faults() == [], "\(name) at \(width)")
                if ProcessInfo.processInfo.environment["STRATA_SCREENSHOTS"] != nil {
                    try await page.browser.screenshot("rehearsal-\(name)-\(theme)-\(width)")
                }
            }
            #expect(try await page.pale() == [], "\(theme)")
        }
    }
}

extension Browser {
    fileprivate func rehearsal(_ id: BroadcastID) throws -> RehearsalView? { try latest("rehearsal/\(id)") }

    /// As the API has them, the newest first.
    fileprivate func rehearsals() async throws -> [RehearsalView] {
        let list: ListView<RehearsalView> = try await call(.get, "/rehearsals")
        return list.items
    }
}

extension Studio {
    /// Waits until the feed shows a rehearsal in this state.
    @discardableResult
    fileprivate func wait(_ id: BroadcastID, for state: RehearsalView.State) async throws -> RehearsalView {
        let seen = Guarded<RehearsalView?>(nil)
        do {
            return try await eventually(within: .seconds(60), "the rehearsal is \(state)") {
                let view = try self.owner.rehearsal(id)
                seen.withLock { $0 = view }
                return view?.state == state ? view : nil
            }
        } catch {
            throw SupportFailure("\(error); last seen: \(String(describing: seen.withLock { $0 }))")
        }
    }
}
