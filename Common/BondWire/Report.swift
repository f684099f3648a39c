/// What came in over one link lately.
package struct LinkArrivals: Hashable, Sendable {
    package struct Arrival: Hashable, Sendable {
        /// The link sequence number of the datagram.
        package var sequence: UInt64
        /// When it came, in the receiver's clock.
        package var at: Microseconds

        package init(sequence: UInt64, at: Microseconds) {
            self.sequence = sequence
            self.at = at
        }
    }

    package var link: LinkNumber
    /// Of the last 400 ms at least, as far as a datagram holds them; in the order in which they came.
    package var arrivals: [Arrival]
    /// The association that the sequence numbers are of: a link that was dialled anew begins again at 0, and a report on its way
    /// may still speak of the numbers before.
    package var connection: ConnectionNumber
    /// How many came over the association so far.
    package var received: UInt64

    package init(link: LinkNumber, arrivals: [Arrival], connection: ConnectionNumber = .none, received: UInt64 = 0) {
        self.link = link
        self.arrivals = arrivals
        self.connection = connection
        self.received = received
    }
}

/// The receiver's feedback: the arrivals of all links, sent over each of them.
package struct Report: Hashable, Sendable {
    /// In the receiver's clock.
    package var sentAt: Microseconds
    package var links: [LinkArrivals]

    package init(sentAt: Microseconds, links: [LinkArrivals]) {
        self.sentAt = sentAt
        self.links = links
    }
}
