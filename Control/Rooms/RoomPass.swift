import Crypto
package import Units
package import Wire

/// What lets into one room for a while: a program to send or to receive (WHIP and WHEP show it as their bearer token), a live broadcast that sends
/// as a participant, or a person with a page.
package struct RoomPass: Codable, Sendable, Hashable {
    package let room: RoomID
    package let organization: OrganizationID
    package let use: RoomUse
    /// Unix seconds.
    package let exp: Int64
    /// Of `join`, and of a live broadcast that sends.
    package let holder: Holder?

    /// Who comes in by a pass, with a page.
    package struct Holder: Codable, Sendable, Hashable {
        /// Of the pass: it has one seat, whoever shows it.
        package let id: String
        /// As everybody is shown it; checked by whoever makes the pass.
        package let name: String
        package let role: RoomRole
        /// nil for a guest.
        package let account: Account?
        /// In the meeting; nil: what is nearest to `role`.
        package let standing: MeetingRole?
        /// They come in while fewer are there; nil: the server's limit alone holds.
        package let places: Int?
        /// Of a guest who may be heard or seen: while fewer of those are there; nil: as many as may be there at all.
        package let guestPlaces: Int?
        /// What sends without a page; nil for a person with one.
        package let kind: RoomParticipant.Kind?
        /// Of a live broadcast.
        package let field: Field?

        /// - Parameter field: of a live broadcast, whose kind that is.
        package init(
            id: String, name: String, role: RoomRole, account: Account?, standing: MeetingRole? = nil, places: Int? = nil,
            guestPlaces: Int? = nil, kind: RoomParticipant.Kind? = nil, field: Field? = nil
        ) {
            self.id = id
            self.name = name
            self.role = role
            self.account = account
            self.standing = standing
            self.places = places
            self.guestPlaces = guestPlaces
            self.kind = field == nil ? kind : .field
            self.field = field
        }

        package var meetingRole: MeetingRole {
            if let standing { return standing }
            return switch role {
            case .host: .host
            case .member: .participant
            case .guest: .guest
            }
        }
    }

    /// A live broadcast that is in a room, by one of its outputs: its pass is good while the broadcast has that.
    package struct Field: Codable, Sendable, Hashable {
        package let broadcast: BroadcastID
        package let output: OutputID

        package init(broadcast: BroadcastID, output: OutputID) {
            self.broadcast = broadcast
            self.output = output
        }
    }

    /// Whose a pass is, and the session by whose end it ends.
    package struct Account: Codable, Sendable, Hashable {
        package let user: UserID
        package let session: SessionID

        package init(user: UserID, session: SessionID) {
            self.user = user
            self.session = session
        }
    }

    package init(room: RoomID, organization: OrganizationID, use: RoomUse, exp: Int64, holder: Holder? = nil) {
        self.room = room
        self.organization = organization
        self.use = use
        self.exp = exp
        self.holder = holder
    }
}

/// Makes and reads passes: whoever has one needs no account, and nothing of it is stored.
package struct RoomPasses: Sendable {
    private static let type: StaticString = "room+jwt"

    private let key: [UInt8]

    /// - Parameter key: of the server, at least 32 bytes.
    package init(key: [UInt8]) { self.key = key }

    package func text(of pass: RoomPass) throws -> Secret { Secret(try JWT.sign(pass, type: Self.type, key: key)) }

    /// - Returns: nil where it is forged, of another purpose, or over.
    package func read(_ text: Secret, at unixSeconds: Int64) -> RoomPass? {
        // try?: whatever is wrong with it, nobody is let in by it.
        guard let pass = try? JWT.verify(text.revealed, as: RoomPass.self, type: Self.type, key: key), unixSeconds < pass.exp else {
            return nil
        }
        return pass
    }
}
