import Testing
import Wire

@testable import Meetings

@Suite("Whoever comes to a meeting")
struct AdmissionTests {
    private static func options(_ change: (inout MeetingOptions) -> Void = { _ in }) -> MeetingOptions {
        var options = SettingLevels(organization: MeetingSettings(), mostParticipants: 100).effective
        change(&options)
        return options
    }

    private static let owner = Comer.user(.owner, isCreator: true)
    private static let member = Comer.user(.member, isCreator: false)
    private static let guest = Comer.guest(preset: nil)

    /// In short: `enters`, `opens`, `waits until_host`, or why not.
    private func word(
        _ comer: Comer, _ type: MeetingType = .video, _ state: MeetingState = .active, _ options: MeetingOptions = Self.options(),
        isLocked: Bool = false, _ occupancy: Occupancy = Occupancy()
    ) -> String {
        let admission = Admission(type: type, state: state, options: options, isLocked: isLocked, occupancy: occupancy)
        switch admission.answer(to: comer) {
        case .enters: return "enters"
        case .opens: return "opens"
        case .waits(_, let rule): return "waits \(rule.rawValue)"
        case .refused(let refusal): return "\(refusal)"
        }
    }

    @Test("comes in by the meeting's state")
    func states() {
        let words = { (comer: Comer) in MeetingState.allCases.map { word(comer, .video, $0) } }
        #expect(words(Self.owner) == ["notYet", "opens", "enters", "over", "over"])
        #expect(words(Self.member) == ["notYet", "waits until_host", "enters", "over", "over"])
        #expect(words(Self.guest) == ["notYet", "waits until_admitted", "waits until_admitted", "over", "over"])
        // Nothing to watch yet.
        #expect(word(Self.guest, .webinar, .scheduled) == "waits until_host")
    }

    @Test("from outside comes in as the meeting lets guests, and waits by the address alone even where members do not")
    func guests() {
        for type in [MeetingType.video, .audio] {
            for room in [false, true] {
                let with = { (access: GuestAccess) in Self.options { ($0.guestAccess, $0.waitingRoom) = (access, room) } }
                #expect(word(Self.guest, type, .active, with(.disabled)) == "noGuests")
                #expect(word(Self.guest, type, .active, with(.linkOnly), Occupancy(hasHost: true)) == "waits until_admitted")
                #expect(word(Self.guest, type, .active, with(.open)) == (room ? "waits until_admitted" : "enters"))
                #expect(word(Self.member, type, .active, with(.disabled)) == (room ? "waits until_host" : "enters"))
            }
        }
        // Whoever only watches never waits; whoever was made more than that by a link does.
        #expect(word(Self.guest, .webinar, .active) == "enters")
        #expect(word(.guest(preset: .webinarGuest), .webinar, .active) == "waits until_admitted")
        #expect(word(.guest(preset: .webinarGuest), .webinar, .active, Self.options { $0.guestAccess = .disabled }) == "noGuests")
    }

    @Test("waits as a member in a waiting room until a host is there, who never does")
    func waiting() {
        let room = Self.options { $0.waitingRoom = true }
        #expect(word(Self.member, .video, .active, room) == "waits until_host")
        #expect(word(Self.member, .video, .active, room, Occupancy(hasHost: true)) == "enters")
        #expect(word(Self.owner, .video, .active, room) == "enters")
        #expect(word(.user(.host, isCreator: false), .video, .active, room) == "waits until_host")
        let shared = Self.options { ($0.waitingRoom, $0.hostsRunAll) = (true, true) }
        #expect(word(.user(.host, isCreator: false), .video, .active, shared) == "enters")
        #expect(Admission.entersWithHost(.untilHost) && Admission.entersWithHost(.skip) && !Admission.entersWithHost(.untilAdmitted))
    }

    @Test("finds a locked meeting closed, but for its hosts")
    func locked() {
        for comer in [Self.member, Self.guest, .user(.host, isCreator: false)] {
            #expect(word(comer, isLocked: true) == "locked")
        }
        #expect(word(Self.owner, isLocked: true) == "enters")
    }

    @Test("finds a full meeting full, and guests who may be heard have half of the places")
    func full() {
        let few = Self.options { ($0.maxParticipants, $0.guestAccess) = (5, .open) }
        #expect(word(Self.member, .video, .active, few, Occupancy(participants: 4)) == "enters")
        for comer in [Self.owner, Self.member, Self.guest] {
            #expect(word(comer, .video, .active, few, Occupancy(participants: 5)) == "full(limit: 5)")
        }
        #expect(word(Self.guest, .video, .active, few, Occupancy(participants: 1, guests: 1)) == "enters")
        #expect(word(Self.guest, .video, .active, few, Occupancy(participants: 2, guests: 2)) == "fullOfGuests(limit: 2)")
        #expect(word(Self.member, .video, .active, few, Occupancy(participants: 2, guests: 2)) == "enters")
        // Those who only watch take none of them.
        #expect(word(Self.guest, .webinar, .active, few, Occupancy(participants: 4, guests: 2)) == "enters")
        let closed = Self.options { $0.maxParticipants = 5 }
        #expect(word(Self.guest, .video, .active, closed, Occupancy(waiting: 4)) == "waits until_admitted")
        #expect(word(Self.guest, .video, .active, closed, Occupancy(waiting: 5)) == "crowded(limit: 5)")
    }
}
