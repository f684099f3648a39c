import Crypto
package import Posix
package import Store
package import Units
package import Wire

/// Links by which players outside the dashboard take a running broadcast as HLS (VLC, ffplay, Safari). Safe from any thread.
///
/// The preview of a broadcast is asked for when a player comes, and let go 15 s after the last one was heard. Links are kept in memory alone,
/// each by the hash of its token: none outlives its broadcast or this program, and one that was revoked cannot come back with a
/// restart or out of a backup. What it costs is a new link after a restart.
package final class PlayerDesk: Sendable {
    package enum Refusal: Error, Sendable, Hashable {
        case links(limit: Int)
        case organization(limit: Int)
        case server(limit: Int)
        case players(limit: Int)
        /// As many broadcasts are played as may.
        case broadcasts(limit: Int)
        case preview(PreviewDesk.Refusal)
        /// None has come in time; why not, where that is known.
        case noPicture(String?)
    }

    package struct Link: Sendable, Hashable {
        package let id: PlayerLinkID
        package let broadcast: BroadcastID
        package let organization: OrganizationID
        package let createdAt: Timestamp
        package let expiresAt: Timestamp
        /// By a clock that nobody sets.
        fileprivate let end: Instant
    }

    /// Who plays, as far as that can be told.
    package struct Player: Sendable, Hashable {
        let link: PlayerLinkID
        let address: String
        let agent: String

        package init(link: PlayerLinkID, address: String, agent: String) {
            self.link = link
            self.address = address
            self.agent = agent
        }

        /// By which its requests are counted.
        package var text: String { "\(link) \(address) \(agent)" }
    }

    static let linkLimit = 8
    static let organizationLimit = 64
    static let serverLimit = 512
    /// Each has a window of `HLSWindow.byteLimit`.
    static let broadcastLimit = 8
    /// How long a player waits for its first playlist: two segments, and the way there.
    private static let firstPictures = Duration.seconds(9)
    /// How long the end of a broadcast can be read.
    private static let farewell = Duration.seconds(60)

    private struct State {
        /// By the hash of its token.
        var links: [[UInt8]: Link] = [:]
        var stands: [BroadcastID: PlayerStand] = [:]
        /// The ends of broadcasts, until they have been read.
        var farewells: [BroadcastID: Task<Void, Never>] = [:]
    }

    private let state = Guarded(State())
    private let previews: PreviewDesk

    package init(_ previews: PreviewDesk) { self.previews = previews }

    // MARK: Links

    /// - Parameter now: by the wall clock, for people.
    /// - Returns: the link and its token, which nobody gets a second time.
    package func make(
        for broadcast: BroadcastID, of organization: OrganizationID, lasting lifetime: Duration, at now: Timestamp,
        _ instant: Instant = .now
    ) throws(Refusal) -> (link: Link, token: Secret) {
        let token = Secret(Base64URL.encode(randomBytes(32)))
        var random = SystemRandomNumberGenerator()
        let link = Link(
            id: PlayerLinkID(ULID(unixMs: now.unixMs, random: &random)), broadcast: broadcast, organization: organization, createdAt: now,
            expiresAt: now + lifetime, end: instant + lifetime)
        try state.withLock { state throws(Refusal) in
            state.links = state.links.filter { instant < $0.value.end }
            let own = state.links.values.count { $0.broadcast == broadcast }
            let organizations = state.links.values.count { $0.organization == organization }
            if own >= Self.linkLimit { throw .links(limit: Self.linkLimit) }
            if organizations >= Self.organizationLimit { throw .organization(limit: Self.organizationLimit) }
            if state.links.count >= Self.serverLimit { throw .server(limit: Self.serverLimit) }
            state.links[SHA256.hash(token.revealed)] = link
            if state.stands[broadcast] == nil { state.stands[broadcast] = PlayerStand() }
        }
        return (link, token)
    }

    /// The good links of a broadcast, the newest first, each with the number of its players.
    package func links(
        of broadcast: BroadcastID, in organization: OrganizationID, _ instant: Instant = .now
    ) -> [(link: Link, players: Int)] {
        let (links, stand) = state.withLock { ($0.links.values.filter { $0.broadcast == broadcast }, $0.stands[broadcast]) }
        return links.filter { $0.organization == organization && instant < $0.end }
            .sorted { $0.id > $1.id }.map { ($0, stand?.players(of: $0.id, at: instant) ?? 0) }
    }

    /// The link of a token, where it is good.
    package func link(_ token: String, _ instant: Instant = .now) -> Link? {
        state.withLock { $0.links[SHA256.hash(token)] }.flatMap { instant < $0.end ? $0 : nil }
    }

    /// - Returns: whether there was such a link.
    package func revoke(_ id: PlayerLinkID, of broadcast: BroadcastID, in organization: OrganizationID) -> Bool {
        let (found, stand, isLast) = state.withLock { state -> (Bool, PlayerStand?, Bool) in
            let found = state.links.first { $0.value.id == id && $0.value.broadcast == broadcast && $0.value.organization == organization }
            guard let found else { return (false, nil, false) }
            state.links[found.key] = nil
            let isLast = !state.links.values.contains { $0.broadcast == broadcast }
            defer { if isLast { state.stands[broadcast] = nil } }
            return (true, state.stands[broadcast], isLast)
        }
        stand?.forget(id)
        if isLast, let seat = stand?.end() { previews.leave(seat) }
        return found
    }

    /// The broadcast is over: its players read that for a while, then its links are gone.
    package func end(_ broadcast: BroadcastID) {
        guard let stand = state.withLock({ $0.stands[broadcast] }) else { return }
        if let seat = stand.end() { previews.leave(seat) }
        guard !stand.isEmpty else { return remove(broadcast) }
        let farewell = Task {
            // try?: what is cut short is over as well.
            try? await Task.sleep(for: Self.farewell)
            remove(broadcast)
        }
        state.withLock { $0.farewells[broadcast] = farewell }
    }

    private func remove(_ broadcast: BroadcastID) {
        state.withLock { state in
            state.links = state.links.filter { $0.value.broadcast != broadcast }
            state.stands[broadcast] = nil
            state.farewells[broadcast] = nil
        }
    }

    // MARK: Playing

    /// The media playlist; a player that is the first waits for it.
    ///
    /// - Parameters:
    ///   - place: where the broadcast is; nil where it is nowhere at the moment.
    ///   - ask: as `PreviewDesk.enter` has it.
    /// - Returns: nil where the broadcast is over and nothing of it is left.
    package func playlist(
        of link: Link, for player: Player, at place: PreviewDesk.Place?, ask: @escaping @Sendable (_ ticket: String) async -> String?
    ) async throws(Refusal) -> String? {
        guard let stand = state.withLock({ $0.stands[link.broadcast] }) else { return nil }
        guard stand.hear(player, at: .now) else { throw .players(limit: PlayerStand.playerLimit) }
        if let place { try open(stand, at: place, ask) }
        if stand.isOver, stand.isEmpty { return nil }
        return try await stand.playlist(within: Self.firstPictures)
    }

    /// - Parameter name: of an init segment or a segment.
    /// - Returns: nil where there is none of that name.
    package func file(_ name: String, of link: Link, for player: Player) throws(Refusal) -> [UInt8]? {
        guard let stand = state.withLock({ $0.stands[link.broadcast] }) else { return nil }
        guard stand.hear(player, at: .now) else { throw .players(limit: PlayerStand.playerLimit) }
        return stand.file(name)
    }

    private func open(
        _ stand: PlayerStand, at place: PreviewDesk.Place, _ ask: @escaping @Sendable (String) async -> String?
    ) throws(Refusal) {
        let others = state.withLock { $0.stands.values.filter { $0 !== stand } }.count { $0.isSeated }
        guard others < Self.broadcastLimit else { throw .broadcasts(limit: Self.broadcastLimit) }
        guard case .enter(let round, let leaving) = stand.prepare(for: place.lease, at: .now) else { return }
        if let leaving { previews.leave(leaving) }
        let watcher = PreviewDesk.Watcher(
            user: nil,
            give: { bytes in
                stand.take(bytes, round: round)
                return true
            },
            end: { stand.lose($0, round: round, at: .now) })
        do throws(PreviewDesk.Refusal) {
            let seat = try previews.enter(watcher, at: place, ask: ask)
            let watch = Task { await leaveIdle(stand) }
            if !stand.sit(seat, place.lease, round: round, watch: watch) { previews.leave(seat) }
        } catch {
            stand.lose(nil, round: round, at: .now)
            throw .preview(error)
        }
    }

    /// Leaves the stand's seat when nobody has played for a while.
    private func leaveIdle(_ stand: PlayerStand) async {
        while stand.isSeated {
            if let wait = stand.idleWait(at: .now) {
                do { try await Task.sleep(for: wait) } catch { return }
            } else if let seat = stand.rise(at: .now) {
                return previews.leave(seat)
            }
        }
    }
}
