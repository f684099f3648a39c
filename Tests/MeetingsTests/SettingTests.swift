import Testing
import Wire

@testable import Meetings

@Suite("A setting of meetings")
struct SettingTests {
    private func effective(
        _ organization: MeetingSettings, _ meeting: MeetingSettings = MeetingSettings(), _ runtime: MeetingSettings = MeetingSettings(),
        locked: Set<MeetingSetting> = []
    ) -> MeetingOptions {
        SettingLevels(organization: organization, locked: locked, meeting: meeting, runtime: runtime, mostParticipants: 500).effective
    }

    /// One that differs from the standard in all.
    private static let other = MeetingSettings(
        guestsAllowed: false, guestAccess: .open, waitingRoom: true, chat: false, persistChat: false, maxParticipants: 7,
        keepAliveSeconds: 90, maxDurationMinutes: 30, hostsRunAll: true, chatDays: 30)

    @Test("that nobody has decided is the standard's")
    func standard() {
        let options = effective(MeetingSettings())
        #expect(
            options
                == MeetingOptions(
                    guestAccess: .linkOnly, waitingRoom: false, chat: true, persistChat: true, maxParticipants: 100, keepAliveSeconds: 60,
                    maxDurationMinutes: 1440, hostsRunAll: false, chatDays: 0))
        #expect(MeetingSettings().decided.isEmpty && MeetingSettings.standard.decided == Set(MeetingSetting.allCases))
        #expect(Self.other.decided == Set(MeetingSetting.allCases))
    }

    @Test("is the meeting's over the organisation's, and what is decided while it runs over both, each as far as its level goes")
    func levels() {
        let organization = effective(Self.other)
        #expect(organization.guestAccess == .disabled, "there are no guests, whatever the rest says")
        #expect(organization.waitingRoom && !organization.chat && !organization.persistChat && organization.hostsRunAll)
        #expect(organization.maxParticipants == 7 && organization.keepAliveSeconds == 90 && organization.maxDurationMinutes == 30)

        let meeting = effective(MeetingSettings(), Self.other)
        #expect(meeting.guestAccess == .open, "the organisation alone does without guests")
        #expect(meeting.waitingRoom && !meeting.chat && !meeting.persistChat && meeting.maxParticipants == 7)
        #expect(meeting.keepAliveSeconds == 90 && meeting.maxDurationMinutes == 1440 && !meeting.hostsRunAll)

        let runtime = effective(MeetingSettings(), MeetingSettings(), Self.other)
        #expect(runtime.waitingRoom && !runtime.chat)
        #expect(runtime.guestAccess == .linkOnly && runtime.persistChat && runtime.maxParticipants == 100)
        #expect(runtime.keepAliveSeconds == 60 && runtime.maxDurationMinutes == 1440 && !runtime.hostsRunAll)

        let all = effective(MeetingSettings(chat: true), MeetingSettings(chat: false), MeetingSettings(chat: true))
        #expect(all.chat)
        #expect(effective(MeetingSettings(guestAccess: .open), MeetingSettings(guestAccess: .disabled)).guestAccess == .disabled)
    }

    @Test("that is locked is the organisation's, or the standard's where it has said nothing, and sleeps elsewhere")
    func locked() {
        let locked: Set<MeetingSetting> = [.chat, .waitingRoom]
        let options = effective(MeetingSettings(chat: true), MeetingSettings(waitingRoom: true, chat: false), Self.other, locked: locked)
        #expect(options.chat && !options.waitingRoom)
        #expect(effective(MeetingSettings(chat: true), MeetingSettings(waitingRoom: true, chat: false)).waitingRoom)
    }

    @Test("is refused where its level does not decide it, and what stays as it was is no decision")
    func refusals() {
        let levels = SettingLevels(
            organization: MeetingSettings(), locked: [.chat, .waitingRoom], meeting: MeetingSettings(chat: false), mostParticipants: 100)
        #expect(levels.refusals(of: Self.other, at: .organization).isEmpty)
        #expect(
            levels.refusals(of: Self.other, at: .meeting)
                == [.level(.guestsAllowed), .locked(.waitingRoom), .level(.maxDurationMinutes), .level(.hostsRunAll), .level(.chatDays)])
        #expect(levels.refusals(of: MeetingSettings(chat: false, persistChat: false), at: .meeting).isEmpty)
        #expect(levels.refusals(of: MeetingSettings(), at: .meeting).isEmpty, "whoever decides nothing follows the organisation")
        #expect(levels.refusals(of: MeetingSettings(chat: true), at: .meeting) == [.locked(.chat)])
        let running = SettingLevels(organization: MeetingSettings(), mostParticipants: 100)
        #expect(
            Set(running.refusals(of: Self.other, at: .runtime))
                == Set(MeetingSetting.allCases.filter { $0 != .chat && $0 != .waitingRoom }.map { SettingLevels.Refusal.level($0) }))
    }

    @Test("that is a number has its bounds, and a meeting has no more places than the server gives one")
    func bounds() {
        let wrong = MeetingSettings(maxParticipants: 1, keepAliveSeconds: 601, maxDurationMinutes: 0)
        #expect(wrong.outOfBounds.map(\.setting) == [.maxParticipants, .keepAliveSeconds, .maxDurationMinutes])
        #expect(Self.other.outOfBounds.isEmpty && MeetingSettings.standard.outOfBounds.isEmpty && MeetingSettings().outOfBounds.isEmpty)
        let levels = SettingLevels(organization: MeetingSettings(maxParticipants: 400), mostParticipants: 50)
        #expect(levels.effective.maxParticipants == 50)
    }
}
