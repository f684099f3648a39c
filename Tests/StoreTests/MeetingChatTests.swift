@testable import Store
import Testing
import Units
import Wire

@Suite("What is kept of a meeting")
struct MeetingChatTests {
    private static func id<Kind>(_ number: Int64) -> ID<Kind> {
        var random = SystemRandomNumberGenerator()
        return ID(ULID(unixMs: 1_800_000_000_000 + number, random: &random))
    }

    /// Of Anna to all, or to Ben.
    private static func message(_ text: String, _ number: Int64, to: ParticipantID? = nil) -> RoomChatMessage {
        RoomChatMessage(
            id: id(number), from: id(1), name: "Anna", to: to, toName: to == nil ? nil : "Ben", text: text,
            atMs: 1_800_000_000_000 + number)
    }

    private static func reader(_ name: String, readsPublic: Bool = true, readsPrivate: Bool = true) -> MeetingChat.Reader {
        MeetingChat.Reader(identity: name, readsPublic: readsPublic, readsPrivate: readsPrivate)
    }

    private func fixture() async throws -> (Fixture, MeetingChat, MeetingID) {
        let fixture = try await Fixture()
        let meeting = try await fixture.store.meetings(in: fixture.scope).create(CreateMeetingRequest(title: "Stand-up"))
        return (fixture, fixture.store.chat(in: fixture.scope), meeting.id)
    }

    @Test("each reads what is theirs and nobody else's, page by page, also when the meeting is over")
    func reads() async throws {
        let (fixture, chat, meeting) = try await fixture()
        for number in 1...5 { try await chat.add(Self.message("all \(number)", Int64(number)), to: meeting, by: "anna", for: nil) }
        try await chat.add(Self.message("psst", 6, to: Self.id(2)), to: meeting, by: "anna", for: "ben")
        func texts(
            _ reader: MeetingChat.Reader, before: ChatMessageID? = nil, _ text: String? = nil, limit: Int = 50
        ) async throws -> [String] {
            try await chat.read(of: meeting, as: reader, before: before, text: text, limit: limit).map(\.text)
        }
        #expect(try await texts(Self.reader("anna"), limit: 2) == ["all 5", "psst"])
        #expect(try await texts(Self.reader("ben")).count == 6)
        #expect(try await texts(Self.reader("ben", readsPrivate: false)).count == 5)
        #expect(try await texts(Self.reader("cleo")).count == 5, "nobody reads what two others write")
        #expect(try await texts(Self.reader("cleo", readsPublic: false)).isEmpty)
        let newest = try await chat.read(of: meeting, as: Self.reader("cleo"), before: nil, text: nil, limit: 2)
        #expect(newest.map(\.text) == ["all 4", "all 5"])
        #expect(try await texts(Self.reader("cleo"), before: newest[0].id, limit: 2) == ["all 2", "all 3"])
        #expect(try await texts(Self.reader("ben"), "PSST") == ["psst"])
        #expect(try await texts(Self.reader("cleo"), "psst").isEmpty)
        for text in ["' OR 1=1 --", "%"] { #expect(try await texts(Self.reader("cleo"), text).isEmpty) }

        let recalled = try await chat.recall(of: meeting, limit: 2)
        #expect(recalled.map(\.message.text) == ["all 5", "psst"] && recalled.map(\.author) == ["anna", "anna"])
        #expect(recalled.map(\.recipient) == [nil, "ben"])
        _ = try await fixture.store.meetings(in: fixture.scope).end(meeting)
        let exported = try await chat.page(of: meeting, after: nil, limit: 3)
        #expect(exported.map(\.text) == ["all 1", "all 2", "all 3"])
        #expect(try await chat.page(of: meeting, after: exported.last?.id, limit: 50).map(\.text) == ["all 4", "all 5"])
        let other = fixture.store.chat(in: try await fixture.stranger())
        await #expect(throws: StoreError.missing("meeting")) { try await other.page(of: meeting, after: nil, limit: 1) }
        #expect(try await other.read(of: meeting, as: Self.reader("anna"), before: nil, text: nil, limit: 9).isEmpty)
        #expect(try await other.recall(of: meeting, limit: 9).isEmpty)
    }

    @Test("what is taken back is gone, and what is written to one is pinned for nobody")
    func changes() async throws {
        let (fixture, chat, meeting) = try await fixture()
        let (shown, secret) = (Self.message("all", 1), Self.message("psst", 2, to: Self.id(2)))
        try await chat.add(shown, to: meeting, by: "anna", for: nil)
        try await chat.add(secret, to: meeting, by: "anna", for: "ben")
        for message in [shown, secret] { try await chat.pin(message.id, true, of: meeting) }
        func pinned() async throws -> [Bool] {
            try await chat.read(of: meeting, as: Self.reader("ben"), before: nil, text: nil, limit: 9).map(\.isPinned)
        }
        #expect(try await pinned() == [true, false])
        try await chat.pin(shown.id, false, of: meeting)
        #expect(try await pinned() == [false, false])
        try await fixture.store.chat(in: try await fixture.stranger()).remove(shown.id, of: meeting)
        #expect(try await pinned().count == 2)
        try await chat.remove(shown.id, of: meeting)
        #expect(try await pinned() == [false])
    }

    @Test("is kept for as long as the organisation says, and for ever where it says nothing")
    func retention() async throws {
        let (fixture, chat, meeting) = try await fixture()
        let store = fixture.store
        try await chat.add(Self.message("old", 1), to: meeting, by: "anna", for: nil)
        fixture.clock.advance(.seconds(40 * 86_400))
        func count() async throws -> Int { try await chat.page(of: meeting, after: nil, limit: 9).count }
        for days in [nil, 0, 41] {
            try await store.meetingDefaults(in: fixture.scope).save(MeetingDefaults(settings: MeetingSettings(chatDays: days), locked: []))
            try await store.operations.removeExpired()
            #expect(try await count() == 1, "\(days ?? -1)")
        }
        try await store.meetingDefaults(in: fixture.scope).save(MeetingDefaults(settings: MeetingSettings(chatDays: 30), locked: []))
        try await store.operations.removeExpired()
        #expect(try await count() == 0)
        let wrong = MeetingDefaults(settings: MeetingSettings(chatDays: 3651), locked: [])
        await #expect(throws: StoreError.self) { try await store.meetingDefaults(in: fixture.scope).save(wrong) }
    }

    @Test("who came and went, and who did what to whom, stands there in its order, for the meeting's organisation alone")
    func events() async throws {
        let (fixture, _, meeting) = try await fixture()
        let events = fixture.store.meetingEvents(in: fixture.scope)
        let (anna, gina) = (
            MeetingEvents.Person(participant: Self.id(1), identity: "a", name: "Anna"),
            MeetingEvents.Person(participant: Self.id(2), identity: "g", name: "Gina")
        )
        let happened: [(MeetingEventKind, PresetName?, PresetName?, MeetingEvents.Person?)] = [
            (.joined, nil, .videoGuest, nil), (.promoted, .videoGuest, .videoHost, anna), (.kicked, .videoHost, nil, anna),
        ]
        #expect(try await fixture.store.attendedMeetings().isEmpty, "nobody has come to it")
        for (kind, from, to, actor) in happened {
            try await events.add(kind, of: gina, from: from, to: to, by: actor, in: meeting)
            fixture.clock.advance(.seconds(1))
        }
        #expect(try await fixture.store.attendedMeetings().map(\.id) == [meeting])
        let found = try await events.page(of: meeting, after: nil, limit: 9)
        #expect(found.map(\.kind) == [.joined, .promoted, .kicked] && found.allSatisfy { $0.name == "Gina" && $0.person == "g" })
        #expect(found.map(\.actorName) == [nil, "Anna", "Anna"])
        #expect(found.map(\.from) == [nil, .videoGuest, .videoHost] && found.map(\.to) == [.videoGuest, .videoHost, nil])
        #expect(try await events.page(of: meeting, after: found[0].id, limit: 1).map(\.kind) == [.promoted])
        let other = fixture.store.meetingEvents(in: try await fixture.stranger())
        await #expect(throws: StoreError.missing("meeting")) { try await other.page(of: meeting, after: nil, limit: 1) }
        try await other.vacate(meeting)
        #expect(try await events.page(of: meeting, after: nil, limit: 9) == found, "nobody is in it")
    }

    @Test("who was in a meeting when the server ended has left it, once, by the name that they had last")
    func vacates() async throws {
        let (fixture, _, meeting) = try await fixture()
        let events = fixture.store.meetingEvents(in: fixture.scope)
        let seats: [ParticipantID] = (0...9).map { Self.id($0) }
        func note(_ kind: MeetingEventKind, _ seat: Int, _ name: String) async throws {
            let person = MeetingEvents.Person(participant: seats[seat], identity: "p\(seat)", name: name)
            try await events.add(kind, of: person, from: nil, to: nil, by: nil, in: meeting)
        }
        try await note(.admitted, 9, "Waits")
        for (seat, name) in [(1, "Anna"), (2, "Ben"), (3, "Cleo"), (4, "Dora")] as [(Int, String)] { try await note(.joined, seat, name) }
        try await note(.left, 2, "Ben")
        try await note(.kicked, 3, "Cleo")
        try await note(.renamed, 4, "Dora D.")
        fixture.clock.advance(.seconds(60))
        for _ in 0..<2 { try await events.vacate(meeting) }
        let all = try await events.page(of: meeting, after: nil, limit: 99)
        let (count, added) = (all.count, all.dropFirst(8))
        #expect(count == 10)
        #expect(added.map(\.kind) == [.left, .left] && added.map(\.name) == ["Anna", "Dora D."] && added.map(\.person) == ["p1", "p4"])
        #expect(added.allSatisfy { $0.at == fixture.clock.now })
    }
}
