package import Units
package import Wire

/// A way out of this machine.
package struct Route: Hashable, Sendable, CustomStringConvertible {
    /// The interface that the connection is pinned to; nil follows the routing table.
    package let interface: String?

    package init(interface: String?) { self.interface = interface }

    package static let any = Route(interface: nil)
    package var description: String { interface ?? "any" }
}

/// What a connection to control brings.
package enum ControlEvent<Incoming: Message>: Sendable {
    /// Proven, and the hello is sent.
    case connected(via: Route)
    /// An order; with an id it wants exactly one `answer`.
    case order(Incoming, id: CommandID?)
    /// It dials again by itself.
    case disconnected(reason: String)
    /// Control, or its certificate, said no. It dials again, but only a person can help.
    case refused(reason: String)
    /// Control has revoked this device: what it does for control is over. It dials again, in case that is taken back.
    case revoked
}

/// What a connection to control may take.
package struct ControlLinkTimes: Sendable {
    /// Silence after which control is asked for a sign of life.
    package var pingInterval = Duration.seconds(1)
    /// Further silence after which the connection is given up: 2.5 s in all.
    package var pongTimeout = Duration.milliseconds(1500)
    /// Until the TLS handshake is done.
    package var connect = Duration.seconds(4)
    /// From then until control's challenge is here.
    package var challenge = Duration.seconds(4)
    /// A connection that lasted so long counts as good.
    package var proven = Duration.seconds(5)

    package init() {}
}

/// What is counted, since the start.
package struct ControlLinkCounts: Sendable, Equatable {
    package internal(set) var connects = 0
    /// Messages that are no messages of ours.
    package internal(set) var malformed = 0
    /// Figures that were dropped, as the connection was slow or gone.
    package internal(set) var dropped = 0
}
