package import Wire

/// How a board is, for whoever stands before it: told by the agent each few seconds, in a file of its runtime folder.
package struct BoardStatus: Codable, Hashable, Sendable {
    /// What the board is to its server.
    package enum Standing: String, Codable, Sendable {
        /// It has neither an identity nor anything to get one with.
        case unprepared
        /// It has a token, and control has not answered yet.
        case enrolling
        /// Control has refused its token: a person has to give it another.
        case refused
        case enrolled
    }

    package var version: String
    package var standing: Standing
    /// What it is called, and where its server is, as far as it knows.
    package var name: String?
    package var server: String?
    /// What keeps it from enrolling, or from reaching control; nil where nothing is known to.
    package var reason: String?
    package var isControlReached: Bool
    package var isBroadcasting: Bool
    package var links: [Link]
    package var modems: [ModemTelemetry]
    /// Names of the inputs.
    package var inputs: [String]
    /// Seconds by which the wall clock shows less than has passed for certain; nil where it shows a time that may be.
    package var clockLag: Int?
    /// Of the monotonic clock, which starts with the board: says how old this is.
    package var atNanoseconds: Int64

    package init(version: String, standing: Standing, atNanoseconds: Int64) {
        self.version = version
        self.standing = standing
        isControlReached = false
        isBroadcasting = false
        links = []
        modems = []
        inputs = []
        self.atNanoseconds = atNanoseconds
    }
}
