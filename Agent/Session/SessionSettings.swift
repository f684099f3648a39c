package import Links
package import Modems
package import Panel
package import Portals
package import Web

/// What the owner of a board decides about its agent.
package struct SessionSettings: Sendable {
    package var runtimeFolder: String
    package var stateFolder: String
    /// Media files to offer as inputs; nil offers none.
    package var mediaFolder: String?
    package var links: LinkPolicy
    /// The bus that ModemManager is asked over.
    package var bus = SessionSettings.systemBus
    package var modems = ModemAccounts(standard: nil)
    /// Interfaces that are taken for HiLink sticks whatever they are.
    package var sticks: [String] = []
    /// Whether modems' satellite receivers are switched on.
    package var usesSatellites = true
    /// What control is reached through; media never is.
    package var proxy: ClientOptions.Proxy?
    /// A file with a line for each access unit, for tests; nil writes none.
    package var trace: String?
    package var version: String
    /// A wall clock that shows less, in Unix seconds, is not set.
    package var timeFloor = 0
    /// What whoever stands before the board is told that it is.
    package var standing = BoardStatus.Standing.enrolled
    package var name: String?
    package var serverAddress: String?
    /// Whom links are to lead to; nil looks for nothing in their way.
    package var server: PortalWatcher.Server?

    package init(
        runtimeFolder: String, stateFolder: String, mediaFolder: String?, links: LinkPolicy, trace: String?, version: String
    ) {
        self.runtimeFolder = runtimeFolder
        self.stateFolder = stateFolder
        self.mediaFolder = mediaFolder
        self.links = links
        self.trace = trace
        self.version = version
    }

    /// Where the system's bus usually listens.
    package static let systemBus = "unix:path=/run/dbus/system_bus_socket"
}
