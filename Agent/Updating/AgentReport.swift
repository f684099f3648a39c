package import Releases

/// What the agent says of itself to the updater beside it, each few seconds. Its program may be the new version and lie: a release that
/// claims health stays. What keeps bad ones out is the signature; this proves that a good one works here.
package struct AgentReport: Hashable, Sendable {
    package var version: ReleaseVersion
    /// Another one for each start of the program.
    package var process: UInt64
    package var isBroadcasting: Bool
    package var isControlReached: Bool
    /// Ids of the inputs that deliver, or open when asked.
    package var openInputs: Set<String>
    /// Names of the links that are up.
    package var liveLinks: Set<String>

    package init(
        version: ReleaseVersion, process: UInt64, isBroadcasting: Bool, isControlReached: Bool, openInputs: Set<String>,
        liveLinks: Set<String>
    ) {
        self.version = version
        self.process = process
        self.isBroadcasting = isBroadcasting
        self.isControlReached = isControlReached
        self.openInputs = openInputs
        self.liveLinks = liveLinks
    }
}
