import Posix
import Store
import Support
import Testing
import Units
import Wire

@testable import Fleet

@Suite("Players outside the dashboard", .timeLimit(.minutes(1))) struct PlayerDeskTests {
    fileprivate static func id<Kind>(_ number: Int) -> ID<Kind> { ID("01ARZ3NDEKTSV4RRFFQ69G5\(String(1000 + number).suffix(3))")! }

    /// A desk, and the host that is asked.
    private final class Place: Sendable {
        let previews = PreviewDesk()
        let players: PlayerDesk
        let tickets = Guarded<[String]>([])
        let cut = Guarded<[String]>([])

        init() { players = PlayerDesk(previews) }

        func make(_ broadcast: Int = 1, organization: Int = 1) throws -> (link: PlayerDesk.Link, token: Secret) {
            let (broadcast, organization): (BroadcastID, OrganizationID) = (PlayerDeskTests.id(broadcast), PlayerDeskTests.id(organization))
            return try players.make(for: broadcast, of: organization, lasting: .seconds(60), at: Timestamp(unixMs: 1_000_000))
        }

        func playlist(_ link: PlayerDesk.Link, agent: String = "one", lease: Int = 1) async throws -> String? {
            let place = PreviewDesk.Place(
                broadcast: link.broadcast, organization: link.organization, host: PlayerDeskTests.id(1), lease: PlayerDeskTests.id(lease))
            let player = PlayerDesk.Player(link: link.id, address: "192.0.2.1", agent: agent)
            return try await players.playlist(of: link, for: player, at: place) { [tickets] ticket in
                tickets.withLock { $0.append(ticket) }
                return nil
            }
        }

        /// What the host sends once it was asked for the `count`th time.
        func show(_ count: Int = 1) async throws -> PreviewDesk.Show {
            let ticket = try await eventually(within: .seconds(5), "the host is asked") {
                self.tickets.withLock { $0.count >= count ? $0.last : nil }
            }
            let show = previews.claim(ticket, of: PlayerDeskTests.id(1)) { [cut] reason in cut.withLock { $0.append(reason) } }
            return try #require(show)
        }
    }

    private func fill(_ show: PreviewDesk.Show, seconds: Int = 6) {
        show.pass(PreviewChunk(.beginning, FragmentBytes.beginning()))
        for second in 0..<seconds {
            let body = FragmentBytes.fragment(at: Int64(second) * 90_000, pictures: [90_000])
            show.pass(PreviewChunk(second % 2 == 0 ? .key : .more, body))
        }
    }

    @Test("the first player has the host asked and waits for two segments; all have the same; the last link's end lets go of it")
    func course() async throws {
        let place = Place()
        let (link, token) = try place.make()
        let other = try place.make()
        #expect(place.players.link(token.revealed) == link && place.players.link("x") == nil && token.revealed.count == 43)
        async let first = place.playlist(link)
        async let second = place.playlist(other.link, agent: "two")
        fill(try await place.show())
        let texts = try await [first, second]
        #expect(texts[0] == texts[1] && texts[0]?.hasSuffix("#EXTINF:2.00000,\n1.m4s\n") == true)
        #expect(place.tickets.withLock { $0.count } == 1 && place.previews.count == 1)
        let player = PlayerDesk.Player(link: link.id, address: "192.0.2.1", agent: "one")
        #expect(try place.players.file("init-1.mp4", of: link, for: player) == [1, 2, 3])
        #expect(try place.players.file("7.m4s", of: link, for: player) == nil)
        let listed = place.players.links(of: link.broadcast, in: link.organization)
        #expect(Set(listed.map(\.link)) == [link, other.link] && listed.allSatisfy { $0.players == 1 })

        #expect(!place.players.revoke(link.id, of: link.broadcast, in: Self.id(2)))
        #expect(!place.players.revoke(link.id, of: Self.id(2), in: link.organization))
        #expect(place.players.revoke(link.id, of: link.broadcast, in: link.organization))
        #expect(!place.players.revoke(link.id, of: link.broadcast, in: link.organization))
        #expect(place.players.link(token.revealed) == nil && place.previews.count == 1)
        #expect(place.players.revoke(other.link.id, of: link.broadcast, in: link.organization))
        #expect(place.previews.count == 0 && place.cut.withLock { $0 } == ["nobody watches"])
        #expect(try await place.playlist(link) == nil)
    }

    @Test("the end of a broadcast is told to who plays, and there is nothing for who never did")
    func end() async throws {
        let place = Place()
        let (played, unplayed) = (try place.make(1).link, try place.make(2))
        async let first = place.playlist(played)
        fill(try await place.show())
        _ = try await first
        for one in [1, 2, 3] { place.players.end(Self.id(one)) }
        #expect(try await place.playlist(played)?.hasSuffix("#EXT-X-ENDLIST\n") == true)
        #expect(place.players.link(unplayed.token.revealed) == nil)
        #expect(place.previews.count == 0 && place.tickets.withLock { $0.count } == 1)
    }

    @Test("a preview that ends, or goes to another host, goes on with a discontinuity; one that cannot be had says why")
    func moves() async throws {
        let place = Place()
        let link = try place.make().link
        async let first = place.playlist(link)
        fill(try await place.show())
        _ = try await first
        // To another lease: what there is is played on meanwhile.
        #expect(try await place.playlist(link, lease: 2) != nil)
        let moved = try await place.show(2)
        #expect(place.cut.withLock { $0 } == ["nobody watches"])
        fill(moved)
        let text = try #require(try await place.playlist(link, lease: 2))
        #expect(text.contains("#EXT-X-DISCONTINUITY\n#EXT-X-MAP:URI=\"init-2.mp4\"\n"))
        place.previews.end(moved, "the connection broke")
        // Not tried again at once.
        #expect(try await place.playlist(link, lease: 2)?.hasPrefix("#EXTM3U\n") == true)
        #expect(place.tickets.withLock { $0.count } == 2)

        let refused = try place.make(5).link
        let player = PlayerDesk.Player(link: refused.id, address: "192.0.2.1", agent: "one")
        let nowhere = PreviewDesk.Place(
            broadcast: refused.broadcast, organization: refused.organization, host: Self.id(9), lease: Self.id(9))
        await #expect(throws: PlayerDesk.Refusal.noPicture("the host makes none")) {
            _ = try await place.players.playlist(of: refused, for: player, at: nowhere) { _ in "the host makes none" }
        }
    }

    @Test("links end by themselves; there are eight of a broadcast, sixty-four of an organisation, and ten players")
    func bounds() async throws {
        let place = Place()
        let now = Instant.now
        let made = try place.players.make(
            for: Self.id(1), of: Self.id(1), lasting: .seconds(60), at: Timestamp(unixMs: 1_000_000), now)
        #expect(made.link.expiresAt == Timestamp(unixMs: 1_060_000))
        #expect(place.players.link(made.token.revealed, now + .seconds(59)) != nil)
        #expect(place.players.link(made.token.revealed, now + .seconds(60)) == nil)
        #expect(place.players.links(of: Self.id(1), in: Self.id(1), now + .seconds(60)).isEmpty)
        for _ in 1..<8 { _ = try place.make() }
        #expect(throws: PlayerDesk.Refusal.links(limit: 8)) { try place.make() }
        for broadcast in 2...8 { for _ in 0..<8 { _ = try place.make(broadcast) } }
        #expect(throws: PlayerDesk.Refusal.organization(limit: 64)) { try place.make(9) }
        _ = try place.make(9, organization: 2)
        // Those that have ended count for nobody.
        _ = try place.players.make(
            for: Self.id(1), of: Self.id(1), lasting: .seconds(1), at: Timestamp(unixMs: 1_000_000), now + .seconds(100))

        let link = try place.make(20, organization: 3).link
        for number in 0..<10 {
            let player = PlayerDesk.Player(link: link.id, address: "192.0.2.\(number)", agent: "")
            #expect(try place.players.file("0.m4s", of: link, for: player) == nil)
        }
        let eleventh = PlayerDesk.Player(link: link.id, address: "192.0.2.10", agent: "")
        #expect(throws: PlayerDesk.Refusal.players(limit: 10)) { try place.players.file("0.m4s", of: link, for: eleventh) }
        let known = PlayerDesk.Player(link: link.id, address: "192.0.2.9", agent: "")
        #expect(try place.players.file("0.m4s", of: link, for: known) == nil)
    }
}

@Suite("Who plays a broadcast") struct PlayerStandTests {
    @Test("after the last request the preview is kept for fifteen seconds and no longer")
    func idle() throws {
        let stand = PlayerStand()
        let now = Instant.now
        let player = PlayerDesk.Player(link: PlayerLinkID("01ARZ3NDEKTSV4RRFFQ69G5FAV")!, address: "192.0.2.1", agent: "")
        #expect(stand.hear(player, at: now))
        #expect(stand.idleWait(at: now + .seconds(10)) == .seconds(5) && stand.idleWait(at: now + .seconds(15)) == nil)
        #expect(stand.hear(player, at: now + .seconds(14)))
        #expect(stand.idleWait(at: now + .seconds(15)) == .seconds(14))
        #expect(stand.players(of: player.link, at: now + .seconds(28)) == 1 && stand.players(of: player.link, at: now + .seconds(29)) == 0)
        #expect(stand.rise(at: now + .seconds(60)) == nil, "no seat was taken")
    }
}
