import Logging
import Meetings
import Posix
import Support
import Testing
import Units
import Wire

@testable import Rooms

/// Rooms of meetings as those outside of them see them: what is kept, and when they end.
@Suite("A meeting's room", .unlessStolen)
struct RoomSessionTests {
    /// The rooms of a server without workers, and what they ask of it.
    private struct House {
        let room: RoomID = RoomTable.fresh()
        let meeting: MeetingID = RoomTable.fresh()
        let organization: OrganizationID = RoomTable.fresh()
        let sessions: RoomSessions
        let ended = Guarded<[MeetingID]>([])
        let kept = Guarded<[RoomRecord]>([])

        init(
            keepAlive: Int = 60, grace: Duration = .seconds(60), ends: Duration? = nil, isThere: Bool = true, isAbandoned: Bool = false,
            written: [RoomState.Saying] = [],
            servers: ICEServers = ICEServers(stun: [], turn: [], secret: nil)
        ) throws {
            let log = Log("test", threshold: .error)
            let settings = RoomSettings(
                program: "", folder: "", workers: 0, port: 0, bind: [], announced: [], servers: servers, logLevel: "error")
            var limits = RoomState.Limits()
            limits.grace = grace
            sessions = RoomSessions(desk: try RoomDesk(settings, log: log), limits: limits, log: log)
            var options = SettingLevels(organization: MeetingSettings(), mostParticipants: 100).effective
            options.keepAliveSeconds = keepAlive
            let end = ends.map { unixMilliseconds() + $0.components.seconds * 1000 }
            let charter = RoomCharter(organization: organization, meeting: meeting, type: .video, options: options, endsAtMs: end)
            let (ended, kept) = (ended, kept)
            let left = isAbandoned ? [(room: room, organization: organization)] : []
            sessions.attend(
                RoomOffice(
                    charter: { _, _ in isThere ? charter : nil }, keep: { record, _, _ in kept.withLock { $0.append(record) } },
                    read: { _, _, _ in [] }, recall: { _, _, _ in written }, end: { meeting, _ in ended.withLock { $0.append(meeting) } },
                    isName: { $0 != "bad" }, abandoned: { left }))
        }

        func join(_ name: String, _ role: MeetingRole = .host) async throws -> RoomSession.Admission {
            let holder = RoomPass.Holder(
                id: "pass of \(name)", name: name, role: .shown(role, isGuest: role == .guest), account: nil, standing: role)
            let exp = unixMilliseconds() / 1000 + 100
            return try await sessions.join(RoomPass(room: room, organization: organization, use: .join, exp: exp, holder: holder))
        }

        func ask(_ order: RoomOrder, _ who: RoomSession.Admission) async -> RoomRefused.Reason? {
            let answer = await who.session.perform(RoomRequest(id: 1, order: order), over: who.connection)
            if case .refused(let refused) = answer { return refused.reason }
            return nil
        }

        /// Waits until something is so, five seconds at most.
        func until(_ condition: () -> Bool) async throws {
            for _ in 0..<250 where !condition() { try await Task.sleep(for: .milliseconds(20)) }
            #expect(condition())
        }
    }

    @Test("goes on for a while when everybody has left, and ends unless somebody comes again")
    func lapses() async throws {
        let house = try House(keepAlive: 1)
        let anna = try await house.join("Anna")
        #expect(await house.ask(.leave, anna) == nil)
        let ben = try await house.join("Ben")
        try await Task.sleep(for: .milliseconds(1500))
        #expect(house.ended.withLock { $0 }.isEmpty, "somebody came in time")
        #expect(await house.ask(.leave, ben) == nil)
        try await house.until { house.ended.withLock { $0 } == [house.meeting] }
    }

    @Test("that another life of the server has left ends where nobody comes back, and goes on where somebody does")
    func abandoned() async throws {
        let house = try House(keepAlive: 1, grace: .zero, isAbandoned: true)
        let other = try House(keepAlive: 1, grace: .zero, isAbandoned: true)
        for one in [house, other] { await one.sessions.begin() }
        let anna = try await other.join("Anna")
        try await house.until { house.ended.withLock { $0 } == [house.meeting] }
        try await Task.sleep(for: .milliseconds(500))
        #expect(other.ended.withLock { $0 }.isEmpty, "somebody came back")
        withExtendedLifetime(anna) {}
    }

    @Test("whoever goes and comes again by one pass is one to the relay, which counts their allocations, and another pass another")
    func relayed() async throws {
        let relay = ICEServers(stun: [], turn: ["turn:turn.example.org"], secret: Secret("0123456789abcdef"))
        let house = try House(servers: relay)
        var users: [Substring] = []
        for name in ["Gina", "Gina", "Ben"] {
            let seat = try await house.join(name)
            let username = try #require(seat.entry.iceServers.first?.username)
            // Behind the second at which it ends.
            users.append(try #require(username.split(separator: ":", maxSplits: 1).last))
            #expect(await house.ask(.leave, seat) == nil)
        }
        #expect(users[0] == users[1] && users[1] != users[2])
    }

    @Test("ends when its time is over, whoever is in it, and a host ends it before that")
    func terms() async throws {
        let house = try House(ends: .seconds(1))
        let anna = try await house.join("Anna")
        try await house.until { house.ended.withLock { $0 } == [house.meeting] }
        let guest = try await house.join("Gina", .guest)
        #expect(await house.ask(.end, guest) == .forbidden)
        #expect(await house.ask(.end, anna) == nil)
        try await house.until { house.ended.withLock { $0.count } == 2 }
    }

    @Test("that is made anew knows what was written before, of which hosts take away and unpin, and everybody reads what is theirs")
    func recalled() async throws {
        func saying(_ text: String, _ atMs: Int64, to recipient: String? = nil, isPinned: Bool = false) -> RoomState.Saying {
            let message = RoomChatMessage(
                id: RoomTable.fresh(), from: RoomTable.fresh(), name: "Ben", to: recipient == nil ? nil : RoomTable.fresh(), text: text,
                atMs: atMs, isPinned: isPinned)
            return RoomState.Saying(message: message, author: "pass of Ben", recipient: recipient)
        }
        let written = [saying("agenda", 1, isPinned: true), saying("psst", 2, to: "pass of Gina"), saying("rude", 3)]
        let house = try House(written: written)
        let (anna, gina) = (try await house.join("Anna"), try await house.join("Gina", .guest))
        func texts(_ who: RoomSession.Admission) async -> [String] {
            let told = await who.session.next(of: who.participant, after: RoomState.Cursor(seq: nil)).messages
            return told.flatMap { message -> [String] in
                if case .snapshot(let snapshot) = message { snapshot.chat.map(\.text) } else { [] }
            }
        }
        #expect(await texts(anna) == ["agenda", "rude"])
        #expect(await texts(gina) == ["agenda", "psst", "rude"])
        #expect(await house.ask(.pin(RoomPin(message: written[0].message.id, isPinned: false)), anna) == nil)
        #expect(await house.ask(.unsay(RoomUnsaying(message: written[2].message.id)), anna) == nil)
        #expect(await texts(gina) == ["agenda", "psst"])
        #expect(await house.ask(.say(RoomSaying(text: "on")), gina) == nil)
        #expect(await texts(anna) == ["agenda", "on"])
    }

    @Test("does not tell everybody each time of who comes back without end")
    func returns() async throws {
        let house = try House()
        let anna = try await house.join("Anna")
        var stays: [Duration] = []
        for number in 0..<400 {
            guard let stay = await anna.session.stay(of: anna.participant) else { continue }
            #expect(number >= 200, "a bad network is no flood")
            stays.append(stay)
        }
        #expect(!stays.isEmpty && stays.allSatisfy { $0 > .zero && $0 <= .seconds(1) })
    }

    @Test("has no seat for a live broadcast that its worker does not take, and does not go on for it")
    func field() async throws {
        let house = try House(keepAlive: 1)
        let holder = RoomPass.Holder(
            id: "output", name: "Van 3", role: .member, account: nil, standing: .participant,
            field: RoomPass.Field(broadcast: RoomTable.fresh(), output: RoomTable.fresh()))
        let exp = unixMilliseconds() / 1000 + 100
        let pass = RoomPass(room: house.room, organization: house.organization, use: .publish, exp: exp, holder: holder)
        await #expect(throws: FieldRefusal.desk(RoomDesk.Refusal.none)) { try await house.sessions.enter(pass, offer: "v=0\r\n") }
        #expect(await house.sessions.people(in: house.room).isEmpty)
        try await house.until { house.ended.withLock { $0 } == [house.meeting] }
        let person = RoomPass(
            room: house.room, organization: house.organization, use: .publish, exp: exp,
            holder: RoomPass.Holder(id: "a", name: "Anna", role: .member, account: nil))
        await #expect(throws: FieldRefusal.self) { try await house.sessions.enter(person, offer: "v=0\r\n") }
    }

    @Test("that is no more lets nobody in")
    func gone() async throws {
        let house = try House(isThere: false)
        await #expect(throws: RoomRefusal.self) { try await house.join("Anna") }
    }

    @Test("has what is done in it kept in its order, and a name judged before others see it")
    func kept() async throws {
        let house = try House()
        let (anna, gina) = (try await house.join("Anna"), try await house.join("Gina", .guest))
        for number in 0..<20 { #expect(await house.ask(.say(RoomSaying(text: "message \(number)")), gina) == nil) }
        #expect(await house.ask(.rename(RoomRename(participant: gina.participant, name: "bad")), anna) == .malformed)
        #expect(await house.ask(.rename(RoomRename(participant: gina.participant, name: "Gina G.")), anna) == nil)
        #expect(await house.ask(.remove(RoomRemoval(participant: gina.participant)), anna) == nil)
        #expect(await house.ask(.say(RoomSaying(text: "late")), gina) == .outdated)
        try await house.until { house.kept.withLock { $0.count } == 24 }
        let kept = house.kept.withLock { $0 }
        let texts = kept.compactMap { record -> String? in if case .said(let message, _, _) = record { message.text } else { nil } }
        #expect(texts == (0..<20).map { "message \($0)" })
        let ids = kept.compactMap { record -> ChatMessageID? in if case .said(let message, _, _) = record { message.id } else { nil } }
        #expect(ids == ids.sorted() && Set(ids).count == 20, "in the order in which they came")
        let events = kept.compactMap { record -> MeetingEventKind? in if case .event(let event) = record { event.kind } else { nil } }
        #expect(events == [.joined, .joined, .renamed, .kicked])
    }
}
