import Foundation
import Lab
import Posix
import Support
import Testing
import Units
import Wire

/// A microphone that is muted, as the meter, the timeline, and whoever asked to be told of it see it.
@Suite(.serialized, .unlessStolen, .enabled(if: NetworkNamespace.areAllowed, "namespaces are not allowed here"))
struct AlertTests {
    @Test("a muted microphone shows within 2 s, is an alarm after 10 s, one mail and one message, whatever flaps or restarts")
    func muted() async throws {
        let port = try FreePorts.tcp()
        var settings = Installation.Settings()
        settings.mailPort = port
        try await inStudio(settings) { studio in
            let watch = try await Watch(studio, mailPort: port)
            let show = try await watch.begin()
            try await firstMute(watch, show)
            try await again(watch, show)
            // With the broadcast it is over, and nobody is told of that.
            try await studio.stop(show.id)
            try await eventually(within: .seconds(5), "the incident is over") { try await watch.incidents().first?.closedAt != nil }
            #expect(try watch.mails.mails.count == 1 && watch.mine.messages.count == 1)
        }
    }

    private func firstMute(_ watch: Watch, _ show: Watch.Show) async throws {
        let began = Instant.now
        try await watch.studio.listen(to: show.hush, show.id)
        let asked = Instant.now
        try await eventually(within: .seconds(8), "the meter shows silence") {
            try watch.pipeline(show)?.peak?.allSatisfy { $0 <= SoundLevels.silence } == true
        }
        measured("the meter shows the mute after", Instant.now - asked)
        #expect(Instant.now - asked < .seconds(2))
        try await eventually(within: .seconds(15), "the alarm is told") { try watch.pipeline(show)?.alarms == [.silence] }
        measured("the alarm is told after", Instant.now - began)
        #expect(Instant.now - asked > .seconds(8) && Instant.now - asked < .seconds(13))
        let mail = try await watch.mails.first
        measured("the mail is there after", Instant.now - began)
        #expect(mail.to == ["owner@example.org"] && mail.headers["Subject"] == "No sound: sender")
        #expect(mail.text.contains("/broadcasts/\(show.id)"))
        let message = try await eventually(within: .seconds(10), "the message is there") { try watch.mine.messages.first }
        #expect(message.kind == "alert.opened" && message.signers == [0] && message.fresh)
        let told = try await eventually(within: .seconds(10), "the organisation's webhook has it") { try watch.all.messages.first }
        let data = told.object["data"] as? [String: Any]
        #expect(told.kind == "broadcast.alarm" && data?["alarm"] as? String == "silence" && data?["state"] as? String == "raised")
    }

    /// It comes and goes, and control is killed meanwhile.
    private func again(_ watch: Watch, _ show: Watch.Show) async throws {
        let studio = watch.studio
        try await studio.listen(to: show.tone, show.id)
        try await eventually(within: .seconds(10), "the alarm is over") {
            try watch.pipeline(show).map { $0.alarms == nil } == true
        }
        try await eventually(within: .seconds(10), "that is an event") { try watch.states.count >= 2 }
        try await studio.listen(to: show.hush, show.id)
        try await studio.installation.program("control").kill9()
        _ = try await studio.installation.startControl()
        try await eventually(within: .seconds(40), "the alarm is raised again, and told to the new control") {
            try watch.pipeline(show)?.alarms == [.silence]
        }
        try await eventually(within: .seconds(10), "each change is an event") { try watch.states.count >= 3 }
        // Time enough for a second mail.
        try await Task.sleep(for: .seconds(5))
        #expect(try watch.states == ["raised", "cleared", "raised"])
        #expect(try watch.mails.mails.count == 1 && watch.mine.messages.count == 1)
        let incidents = try await watch.incidents()
        #expect(incidents.count == 1 && incidents.first?.closedAt == nil && incidents.first?.broadcast == show.id)
        let events = try await studio.owner.events(of: show.id, "order=oldest").filter { $0.kind == FlightEntry.Kind.alarm }
        #expect(events.map { "\($0.state ?? "") \($0.subject ?? "")" } == ["raised silence", "cleared silence", "raised silence"])
    }

    /// A studio whose owner wants to be told of silence by mail and by a webhook of theirs, and whose organisation has one too.
    private struct Watch: Sendable {
        let studio: Studio
        let mails: MailPeer
        let mine: WebhookPeer
        let all: WebhookPeer

        struct Show: Sendable {
            let id: BroadcastID
            let sender: DeviceID
            let tone: String
            let hush: String
        }

        private struct WebhookBody: Codable, Sendable {
            let url: String
            let description: String
            let kinds: [String]
            let active: Bool
        }

        private struct Made: Decodable {
            let secret: String
        }

        init(_ studio: Studio, mailPort: Int) async throws {
            self.studio = studio
            mails = try await MailPeer(on: studio.stage, port: mailPort)
            (mine, all) = (try WebhookPeer(on: studio.stage), try WebhookPeer(on: studio.stage))
            let wish = AlertsRequest(
                rules: [AlertRule(kind: .silence), AlertRule(kind: .noSignal)], byMail: true, recovery: false, webhookURL: mine.url)
            let saved: AlertsView = try await studio.owner.call(.put, "/auth/me/alerts", wish)
            try mine.answer(secrets: [try #require(saved.webhook?.secret).secret.revealed])
            let made: Made = try await studio.owner.call(
                .post, "/webhooks", WebhookBody(url: all.url, description: "ours", kinds: ["broadcast.alarm"], active: true))
            try all.answer(secrets: [made.secret])
            for peer in [mine, all] { try await peer.start() }
        }

        /// On air with a tone.
        func begin() async throws -> Show {
            let sender = try await studio.sender().id
            let (tone, hush) = (
                try await studio.sound(Studio.tone, "tone", of: sender), try await studio.sound(Studio.hush, "hush", of: sender)
            )
            let platform = try await studio.destination("show", url: studio.nginx.url(), secret: "show")
            let id = try await studio.start(
                StartRequest(
                    sender: sender, destinations: [platform], input: InputChoice(video: "test", audio: tone), encoder: Studio.small))
            try await studio.owner.wait(id, for: ["live"])
            let show = Show(id: id, sender: sender, tone: tone, hush: hush)
            try await eventually(within: .seconds(5), "the meter shows the tone") {
                try pipeline(show)?.peak?.max().map { $0 > -40 } == true
            }
            return show
        }

        func pipeline(_ show: Show) throws -> PipelineTelemetry? {
            try studio.owner.latest("telemetry/\(show.sender)", as: AgentTelemetry.self)?.pipeline
        }

        /// As the organisation's webhook was told; what was on its way when control was killed comes again, under its id.
        var states: [String] {
            get throws {
                var ids: Set<String> = []
                return try all.messages.filter { ids.insert($0.id).inserted }.compactMap {
                    ($0.object["data"] as? [String: Any])?["state"] as? String
                }
            }
        }

        func incidents() async throws -> [IncidentView] {
            let list: ListView<IncidentView> = try await studio.owner.call(.get, "/auth/me/incidents")
            return list.items
        }
    }
}

extension Studio {
    /// A file of sound that the sender offers as an input.
    ///
    /// - Parameter source: of ffmpeg's.
    func sound(_ source: String, _ name: String, of sender: DeviceID) async throws -> String {
        // Beside, and moved there when it is whole.
        let path = stage.folder["\(name).wav"]
        _ = try await runTool("ffmpeg", ["-v", "error", "-y", "-f", "lavfi", "-i", source, "-t", "5", path])
        try FileManager.default.moveItem(atPath: path, toPath: "\(media)/\(name).wav")
        return try await offered("\(name).wav", by: sender)
    }

    static let tone = "sine=frequency=440:sample_rate=48000"
    static let hush = "anullsrc=r=48000:cl=stereo"

    /// Returns when the sender has it.
    func listen(to audio: String, _ id: BroadcastID) async throws {
        let _: BroadcastView = try await owner.call(
            .patch, "/broadcasts/\(id)", ChangeBroadcastRequest(input: InputChoice(video: "test", audio: audio)))
    }
}
