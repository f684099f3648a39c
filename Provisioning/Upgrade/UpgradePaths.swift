import Site

/// Where the server's updater has what it needs.
enum UpgradePaths {
    /// Journal, state, marks and later lists of keys; root's alone.
    static let state = SitePaths.tool + "/update"
    static let journal = state + "/journal.json"
    static let memory = state + "/state.json"
    /// The signed release of the run that is open.
    static let offer = state + "/offer"
    /// What everybody on the machine may read, control above all. Not in a folder of control's: root writes it by its name.
    static let reportFolder = "/var/lib/strata-update"
    static let report = SitePaths.updateReport
    /// Control's, who is not believed: read alone, through no link.
    static let order = SitePaths.control + "/update-order"
    static let shelf = SitePaths.control + "/releases"
    /// Of the children of control and pool.
    static let sockets = ["/run/strata/control", "/run/strata/pool"]
    static let updaterFolder = SitePaths.versions + "/updater"
    static let updater = updaterFolder + "/strata-provision"
}

/// What the updater says to whoever reads it.
package struct UpgradeFault: Error, Hashable, Sendable, CustomStringConvertible {
    package let description: String

    init(_ description: String) { self.description = description }
}
