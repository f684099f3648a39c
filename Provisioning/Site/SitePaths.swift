/// Where things of a server lie on its machine.
package enum SitePaths {
    package static let programs = "/usr/bin"
    package static let units = "/usr/lib/systemd/system"
    static let sysusers = "/usr/lib/sysusers.d/strata.conf"
    static let tmpfiles = "/usr/lib/tmpfiles.d/strata.conf"
    package static let dashboard = "/usr/share/strata/dashboard"
    /// The two places of versions that the server updates itself with, the links to them, and the updater.
    package static let versions = "/usr/lib/strata"
    /// A link, once the server has updated itself: what lies in `programs` leads there.
    package static let currentVersion = "/usr/lib/strata/current"
    static let updater = "/usr/lib/strata/updater/strata-provision"
    /// What the updater says of itself, for everybody on the machine.
    package static let updateReport = "/var/lib/strata-update/report.json"
    /// Whose releases this server takes; root's, and not a part of any release.
    package static let releaseKeys = "/etc/strata/release-keys"
    /// What a public authority's client calls when it has a new certificate.
    static let certificateHook = "/usr/lib/strata/certificate-hook"
    /// Has the client's own unit call the hook too.
    static let certificateLook = "/usr/lib/systemd/system/certbot.service.d/strata.conf"

    package static let configuration = "/etc/strata"
    package static let controlConfiguration = "/etc/strata/strata-control.conf"
    static let poolConfiguration = "/etc/strata/strata-pool.conf"
    static let certificates = "/etc/strata/tls"
    static let chain = "/etc/strata/tls/chain.pem"
    static let key = "/etc/strata/tls/key.pem"
    package static let authority = "/etc/strata/tls/ca.pem"
    static let authorityKey = "/etc/strata/tls/ca.key"
    static let backupRecipient = "/etc/strata/backup.pem"

    static let state = "/var/lib/strata"
    package static let control = "/var/lib/strata/control"
    static let database = "/var/lib/strata/control/strata.db"
    static let blobs = "/var/lib/strata/control/blobs"
    /// Control takes the one that it finds at its first start, and removes it when the server has an owner.
    package static let setupSecret = "/var/lib/strata/control/setup-secret"
    package static let operatorToken = "/var/lib/strata/control/operator-token"
    static let pool = "/var/lib/strata/pool"
    static let poolIdentity = "/var/lib/strata/pool/identity.json"
    static let poolKey = "/var/lib/strata/pool/device.key"
    static let recordings = "/var/lib/strata/pool/recordings"
    static let backups = "/var/backups/strata"

    /// The journal, and what was replaced; root's alone.
    package static let tool = "/var/lib/strata-provision"
    package static let journal = "/var/lib/strata-provision/journal.json"
}
