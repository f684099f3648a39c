import Foundation
import Support
import Testing
import Units
import Wire

/// Somebody's page in a room, by a socket that says what the test wants: what it is told it knows, number by number.
final class SeatedPage {
    private let desk: FrontDesk
    private(set) var page: RawPage
    private(set) var entry: RoomEntry
    private(set) var people: [ParticipantID: RoomParticipant] = [:]
    private(set) var chat: [RoomChatMessage] = []
    private(set) var conditions = RoomConditions()
    private(set) var rights: RoomRights?
    private(set) var reactions: [RoomReacted] = []
    private(set) var casts: [RoomCasted] = []
    private(set) var left: [RoomLeaving] = []
    private(set) var snapshots = 0
    private(set) var over: RoomOver.Reason?
    /// Of the last change; nil: none is known.
    private(set) var seq: Int?

    var id: ParticipantID { entry.participant }
    var texts: [String] { chat.map(\.text) }

    init(at desk: FrontDesk, _ token: String) async throws {
        self.desk = desk
        page = try await RawPage(at: desk)
        entry = try await page.enter(token)
        try await until("the first snapshot") { $0.snapshots == 1 && $0.rights != nil }
    }

    /// By the answer to whoever comes to a meeting.
    convenience init(at desk: FrontDesk, _ entry: Reply) async throws {
        #expect(try entry.text("state") == "enters", "\(entry)")
        try await self.init(at: desk, try #require((try entry.object()["pass"] as? [String: Any])?["token"] as? String))
    }

    func ask(_ order: RoomOrder) async throws -> RawPage.Answer {
        try await page.say(order)
        return try await answer()
    }

    /// To what it has said before.
    func answer() async throws -> RawPage.Answer {
        while true {
            let message = try await page.next()
            switch message {
            case .done(let done): return .done(done)
            case .refused(let refused): return .refused(refused)
            default: hear(message)
            }
        }
    }

    /// Why it is refused, with a text for a person; nil where it is done.
    func refusal(_ order: RoomOrder) async throws -> RoomRefused.Reason? {
        guard case .refused(let refused) = try await ask(order) else { return nil }
        #expect(!refused.text.isEmpty && refused.text.isPlain)
        return refused.reason
    }

    /// Reads until something is so.
    func until(_ what: String, _ condition: (SeatedPage) -> Bool) async throws {
        let end = ContinuousClock.now + .seconds(10)
        while !condition(self) {
            guard ContinuousClock.now < end else { throw SupportFailure("it never came that \(what)") }
            hear(try await page.next())
        }
    }

    /// As after a message that it has missed: what it knows is worth nothing until everything is told anew.
    func forget() { seq = nil }

    /// Its socket is lost, and it comes back to what it has missed.
    func resume(_ meanwhile: () async throws -> Void = {}) async throws {
        page.socket.abort()
        try await meanwhile()
        page = try await RawPage(at: desk)
        let answer = try await page.ask(.resume(RoomResume(token: entry.resume.secret, seq: seq)))
        entry = try #require(answer.entry, "\(answer)")
    }

    private func count(_ number: Int, isPassed: Bool = false) {
        if let seq { #expect(isPassed ? number > seq : number == seq + 1, "\(number) behind \(seq)") }
        seq = number
    }

    private func hear(_ message: RoomMessage) {
        switch message {
        case .snapshot(let snapshot):
            snapshots += 1
            seq = snapshot.seq
            people = Dictionary(uniqueKeysWithValues: snapshot.participants.map { ($0.id, $0) })
            (conditions, chat) = (snapshot.conditions, snapshot.chat)
        case .participant(let change):
            count(change.seq)
            people[change.participant.id] = change.participant
        case .left(let leaving):
            count(leaving.seq)
            people[leaving.participant] = nil
            left.append(leaving)
        case .conditions(let change):
            count(change.seq)
            conditions = change.conditions
        case .chat(let change):
            count(change.seq)
            chat.removeAll { $0.id == change.message.id }
            chat = (chat + [change.message]).sorted { $0.id < $1.id }
        case .unsaid(let unsaid):
            count(unsaid.seq)
            chat.removeAll { $0.id == unsaid.message }
        case .reaction(let reacted):
            count(reacted.seq)
            reactions.append(reacted)
        case .cast(let casted):
            count(casted.seq)
            casts.append(casted)
        case .passed(let passed): count(passed.seq, isPassed: true)
        case .rights(let rights): self.rights = rights
        case .over(let over): self.over = over.reason
        case .done, .refused, .offer, .ended, .alive, .unknown: break
        }
    }
}

/// A meeting, and those who come to it.
struct Talk {
    let desk: FrontDesk
    let owner: Visitor
    let id: String
    let slug: String

    func host() async throws -> SeatedPage { try await SeatedPage(at: desk, try await owner.post("/meetings/\(id)/join")) }

    func member(_ member: Visitor) async throws -> SeatedPage {
        try await SeatedPage(at: desk, try await member.post("/meetings/\(id)/join"))
    }

    func knock(_ name: String) async throws -> Reply {
        try await desk.visitor().post("/join/guest", #"{"slug":"\#(slug)","name":"\#(name)"}"#)
    }

    func guest(_ name: String) async throws -> SeatedPage { try await SeatedPage(at: desk, try await knock(name)) }

    /// Runs a body with a meeting that guests come to without waiting.
    static func held(
        _ type: String = "video", settings: String = #""guestAccess":"open""#, _ body: (Talk) async throws -> Void
    ) async throws {
        try await atFrontDesk { desk in
            let owner = try await desk.owner()
            let made = try await owner.post("/meetings", #"{"title":"Talk","type":"\#(type)","settings":{\#(settings)}}"#)
            try await body(Talk(desk: desk, owner: owner, id: try made.text("id"), slug: try made.text("slug")))
        }
    }
}
