package import Web
package import Wire

/// What the operator decides about this host.
package struct PoolSettings: Sendable {
    /// Names and addresses that boards reach this host by.
    package var publicAddresses: [String]
    /// Addresses that receivers bind, text form.
    package var bind: [String]
    package var ports: PortRange
    /// Streams at most.
    package var capacity: Int
    /// Percent of all processors from which on no new stream is taken; 100 for never.
    package var cpuLimit = 100
    /// Path of `strata-receiver`.
    package var receiver: String
    package var receiverLogLevel: String
    /// Where receivers record files; nil where this host records none.
    package var recordings: String?
    /// Networks that outputs may reach though they are not of the public net, e.g. `192.168.1.0/24`.
    package var outbound: [String] = []
    /// Where control is, as words for `strata-receiver`: outputs go into rooms of that one alone. Empty where it is not known, in tests.
    package var control: [String] = []
    /// What control is reached through; media never is.
    package var proxy: ClientOptions.Proxy?
    /// Holds `pool/`, with a socket and a start file for each lease; gone after a reboot.
    package var runtimeFolder: String
    /// Holds the device's identity and `ports.json`.
    package var stateFolder: String
    package var version: String
    /// A receiver that does not listen within this time is killed.
    package var listenWithin: Duration = .seconds(5)
    /// A receiver that has said nothing for this long, which reports each second, is shown as away; after twice as long it is killed.
    package var silentAfter: Duration = .milliseconds(2500)
    /// A receiver that does not end within this time, and its buffer's length, is killed.
    package var endWithin: Duration = .seconds(5)

    package init(
        publicAddresses: [String], bind: [String], ports: PortRange, capacity: Int, receiver: String, receiverLogLevel: String,
        runtimeFolder: String, stateFolder: String, version: String
    ) {
        self.publicAddresses = publicAddresses
        self.bind = bind
        self.ports = ports
        self.capacity = capacity
        self.receiver = receiver
        self.receiverLogLevel = receiverLogLevel
        self.runtimeFolder = runtimeFolder
        self.stateFolder = stateFolder
        self.version = version
    }

    var leaseFolder: String { runtimeFolder + "/pool" }
}
