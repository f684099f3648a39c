import Broadcasts
import Logging
import Meetings
import Rooms
import Store
import Units
import Wire

/// What rooms ask of control: what holds in them, what is kept of them, and the end of their meetings.
struct RoomKeeping: Sendable {
    private let store: ControlStore
    private let broadcasts: BroadcastDirector
    private let farewell: StoredMeetings.Farewell
    private let log: Log

    /// - Parameter farewell: what is mailed when a meeting is over.
    init(store: ControlStore, broadcasts: BroadcastDirector, farewell: @escaping StoredMeetings.Farewell, log: Log) {
        self.store = store
        self.broadcasts = broadcasts
        self.farewell = farewell
        self.log = log
    }

    /// - Parameter sessions: whose rooms they are.
    func office(of sessions: RoomSessions) -> RoomOffice {
        RoomOffice(
            charter: { room, organization in
                do {
                    return try await charter(of: room, in: OrganizationScope(organization, by: .system))
                } catch StoreError.missing {
                    return nil
                } catch {
                    log.error("what holds in a room cannot be read", ["room": .text(room.text), "error": "\(error)"])
                    return nil
                }
            },
            keep: { record, meeting, organization in
                do {
                    try await keep(record, of: meeting, in: OrganizationScope(organization, by: .system))
                } catch {
                    log.error("something of a meeting is not kept", ["meeting": .text(meeting.text), "error": "\(error)"])
                }
            },
            read: { query, meeting, organization in
                let reader = MeetingChat.Reader(
                    identity: query.reader, readsPublic: query.readsPublic, readsPrivate: query.readsPrivate)
                let chat = store.chat(in: OrganizationScope(organization, by: .system))
                return try await chat.read(of: meeting, as: reader, before: query.before, text: query.text, limit: query.limit)
            },
            recall: { meeting, organization, limit in
                do {
                    let kept = try await store.chat(in: OrganizationScope(organization, by: .system)).recall(of: meeting, limit: limit)
                    return kept.map { RoomState.Saying(message: $0.message, author: $0.author, recipient: $0.recipient) }
                } catch {
                    log.error("what was written in a meeting cannot be read", ["meeting": .text(meeting.text), "error": "\(error)"])
                    return []
                }
            },
            end: { [weak sessions] meeting, organization in
                guard let room = await end(meeting, of: organization, in: sessions) else { return }
                await sessions?.close(room)
            },
            isName: { DisplayName.isGood($0) },
            fieldLeft: { [broadcasts] field, isForGood in
                await broadcasts.leftRoom(field.broadcast, by: field.output, isForGood: isForGood)
            },
            abandoned: { await abandoned() })
    }

    /// The meetings that run and that an earlier life of this server has left. Whoever was in them then is so no more.
    private func abandoned() async -> [(room: RoomID, organization: OrganizationID)] {
        var rooms: [(room: RoomID, organization: OrganizationID)] = []
        do {
            for meeting in try await store.attendedMeetings() {
                if let room = meeting.room { rooms.append((room: room, organization: meeting.organization)) }
                do {
                    try await store.meetingEvents(in: OrganizationScope(meeting.organization, by: .system)).vacate(meeting.id)
                } catch {
                    log.error("who was in a meeting is not kept", ["meeting": .text(meeting.id.text), "error": "\(error)"])
                }
            }
        } catch {
            log.error("the meetings of before cannot be read", ["error": "\(error)"])
        }
        return rooms
    }

    /// - Returns: its room, which is no more; nil where somebody was quicker.
    private func end(_ meeting: MeetingID, of organization: OrganizationID, in sessions: RoomSessions?) async -> RoomID? {
        let meetings = store.meetings(in: OrganizationScope(organization, by: .system))
        do {
            var present: Set<UserID> = []
            if let room = try await meetings.find(meeting).room {
                present = Set(await sessions?.people(in: room).compactMap(\.user) ?? [])
            }
            return try await meetings.end(meeting, telling: present, by: farewell).room
        } catch StoreError.meetingIs, StoreError.missing {
            return nil
        } catch {
            log.error("a meeting could not be ended", ["meeting": .text(meeting.text), "error": "\(error)"])
            return nil
        }
    }

    /// - Throws: `.missing`.
    private func charter(of room: RoomID, in scope: OrganizationScope) async throws -> RoomCharter {
        let meetings = store.meetings(in: scope)
        guard let meeting = try await meetings.find(in: room) else {
            _ = try await store.rooms(in: scope).find(room)
            return .plain(of: scope.organization, participants: store.quotas[.participants])
        }
        let levels = try await meetings.levels(of: meeting.settings)
        let options = levels.effective
        let end = meeting.startedAt.map { $0 + .seconds(options.maxDurationMinutes * 60) }
        return RoomCharter(
            organization: scope.organization, meeting: meeting.id, type: meeting.type, options: options, locked: levels.locked,
            endsAtMs: end?.unixMs)
    }

    private func keep(_ record: RoomRecord, of meeting: MeetingID, in scope: OrganizationScope) async throws {
        let chat = store.chat(in: scope)
        switch record {
        case .said(let message, let author, let recipient): try await chat.add(message, to: meeting, by: author, for: recipient)
        case .pinned(let message, let isPinned): try await chat.pin(message, isPinned, of: meeting)
        case .unsaid(let message): try await chat.remove(message, of: meeting)
        case .event(let event):
            try await store.meetingEvents(in: scope).add(
                event.kind, of: MeetingEvents.Person(event.person), from: event.from, to: event.to,
                by: event.actor.map { MeetingEvents.Person($0) }, in: meeting)
        }
    }
}

extension MeetingEvents.Person {
    fileprivate init(_ person: RoomEvent.Person) {
        self.init(participant: person.participant, identity: person.identity, name: person.name)
    }
}
