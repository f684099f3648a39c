import Foundation
import Posix
import Support
import Testing
import Units
import Wire

/// Several clients on one server, each with broadcasts of its own.
@Suite(.serialized, .unlessStolen)
struct SideBySideTests {
    /// One broadcast of one organisation.
    private struct Show {
        let name: String
        let browser: Browser
        let id: BroadcastID
        let destination: DestinationID
    }

    private static let picture = EncoderChoice(bitrate: .kilobits(500), width: 320, height: 180, frameRate: 25)

    @Test(
        "five broadcasts of two organisations run side by side on one host, and the end of one is nothing to the others",
        .row("RCV-10"))
    func sideBySide() async throws {
        try await inStudio(links: [Studio.link(20_000, delayMs: 25), Studio.link(20_000, delayMs: 35)]) { studio in
            let guest = try await organisation("guest", studio)
            var shows: [Show] = []
            for (name, browser) in [("a", studio.owner), ("b", guest), ("c", studio.owner), ("d", guest), ("e", studio.owner)] {
                shows.append(try await begin(name, browser, studio))
            }
            for show in shows { try await show.browser.wait(show.id, for: ["live"]) }
            for show in shows { try await studio.record(show.name, seconds: 4) }
            measured(
                "resident memory of each receiver",
                try studio.receivers.map { "\(try residentKilobytes(of: $0) / 1024) MiB" }.joined(separator: ", "))
            #expect(studio.receivers.count == shows.count)
            #expect(try Set(shows.map { try #require(try $0.browser.broadcast($0.id)?.receiver?.port) }).count == shows.count)

            let first = shows.removeFirst()
            let _: BroadcastView = try await first.browser.call(.post, "/broadcasts/\(first.id)/stop")
            try await first.browser.wait(first.id, for: ["ended"])
            try await eventually(within: .seconds(5), "one receiver less") { studio.receivers.count == shows.count }
            for show in shows { try await studio.record(show.name, seconds: 7) }
            for show in shows {
                try await judge(show, studio)
                let _: BroadcastView = try await show.browser.call(.post, "/broadcasts/\(show.id)/stop")
            }
            for show in shows { try await show.browser.wait(show.id, for: ["ended"]) }
            try await studio.expectNothingLeft()
        }
    }

    /// An organisation beside the first, and its owner's browser.
    private func organisation(_ slug: String, _ studio: Studio) async throws -> Browser {
        let operating = try String(contentsOfFile: studio.stage.folder["control/operator-token"], encoding: .utf8)
            .trimmingCharacters(in: .newlines)
        let password = "another long password"
        let request = CreateOrganizationRequest(
            name: slug, slug: slug, ownerEmail: "owner@\(slug).org", ownerDisplayName: "Other",
            ownerPassword: SecretOnWire(Secret(password)))
        let answer = try await studio.owner.answer(.post, "/operator/organizations", request, bearer: operating)
        guard answer.status.isSuccess else { throw SupportFailure("no organisation: \(answer.status)") }
        let browser = try Browser(server: studio.owner.server)
        try await browser.signIn(email: "owner@\(slug).org", password: password)
        browser.watch()
        return browser
    }

    /// Enrolls a board, and sends its picture to a platform, both of whoever uses this browser.
    private func begin(_ name: String, _ browser: Browser, _ studio: Studio) async throws -> Show {
        let token: TokenView = try await browser.call(.post, "/enrollment-tokens", CreateTokenRequest(kind: .sender, name: name))
        let file = try studio.stage.folder.write(try #require(token.token).secret.revealed, to: "\(name).token")
        // A token file that others can read is refused.
        chmod(file, 0o600)
        try await studio.installation.redeem(file, name, inside: studio.field)
        try await studio.installation.startSender(name, inside: studio.field)
        let sender = try await eventually(within: .seconds(20), "\(name) is online with its links") {
            let list: ListView<SenderView> = try await browser.call(.get, "/senders")
            return list.items.first { $0.name == name && $0.online && $0.inventory.links.filter { $0.state == .up }.count >= 2 }
        }
        let platform: DestinationView = try await browser.call(
            .post, "/destinations", DestinationRequest(name: name, url: studio.nginx.url(), secret: SecretOnWire(Secret(name))))
        let view: BroadcastView = try await browser.call(
            .post, "/broadcasts", StartRequest(sender: sender.id, destinations: [platform.id], encoder: Self.picture))
        return Show(name: name, browser: browser, id: view.id, destination: platform.id)
    }

    /// Everything that was sent is at its own platform, one session from the beginning on.
    private func judge(_ show: Show, _ studio: Studio) async throws {
        let view = try #require(try show.browser.broadcast(show.id))
        #expect(view.state == "live")
        #expect(view.ingest?.lostPacketsTotal == 0)
        #expect(view.outputs.first?.report?.droppedUnitsTotal == 0)
        let files = try studio.nginx.recordings(show.name)
        #expect(files.count == 1)
        let sent = try Recording.trace(studio.installation.tracePath(show.name))
        let recorded = try Recording.accessUnits(try #require(files.last))
        for kind in [AccessUnit.Kind.video, .audio] {
            let delivery = Delivery(sent: sent, recorded: recorded, kind)
            #expect(delivery.isComplete, "\(show.name): \(delivery)")
        }
    }
}
