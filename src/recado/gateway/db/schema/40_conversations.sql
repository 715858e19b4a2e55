-- People, conversations, messages.

CREATE TABLE whatsapp_contacts (
    mentorado_id  uuid NOT NULL DEFAULT current_mentorado() REFERENCES mentorados,
    id            uuid NOT NULL DEFAULT gen_random_uuid(),
    phone         text,                                  -- digits
    lid           text,                                  -- the user part of the LID address
    bsuid         text,
    username      text,
    push_name     text,                                  -- what they call themselves
    name          text,                                  -- what the mentorado calls them
    learnt_from   text NOT NULL DEFAULT 'message',       -- what told the newest of these
    created_at    timestamptz NOT NULL DEFAULT now(),
    updated_at    timestamptz NOT NULL DEFAULT now(),
    erased_at     timestamptz,                           -- at their request: nothing of them is left
    verified_name text,                                  -- what WhatsApp certifies that a business is called
    PRIMARY KEY (mentorado_id, id),
    UNIQUE (mentorado_id, phone),
    UNIQUE (mentorado_id, lid),
    UNIQUE (mentorado_id, bsuid)
);

CREATE TABLE leads (
    mentorado_id  uuid NOT NULL DEFAULT current_mentorado() REFERENCES mentorados,
    id            uuid NOT NULL DEFAULT gen_random_uuid(),
    name          text NOT NULL DEFAULT '',
    phone         text,
    contact_id    uuid,
    notes         text NOT NULL DEFAULT '',
    created_at    timestamptz NOT NULL DEFAULT now(),
    updated_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (mentorado_id, id),
    UNIQUE (mentorado_id, phone),
    FOREIGN KEY (mentorado_id, contact_id) REFERENCES whatsapp_contacts
);

CREATE TABLE conversations (
    mentorado_id     uuid NOT NULL DEFAULT current_mentorado() REFERENCES mentorados,
    id               uuid NOT NULL DEFAULT gen_random_uuid(),
    kind             text NOT NULL CHECK (kind IN ('person', 'group', 'other')),
    contact_id       uuid,                               -- of a person
    chat             text,                               -- of anything else: its address
    title            text,
    lead_id          uuid,
    last_message_id  bigint,
    last_message_at  timestamptz,
    unread_count     integer NOT NULL DEFAULT 0,
    is_archived      boolean NOT NULL DEFAULT false,     -- as the mentorado's own devices show it: put away,
    is_pinned        boolean NOT NULL DEFAULT false,     -- on top,
    is_muted         boolean NOT NULL DEFAULT false,     -- silent until then; for good where there is no end
    muted_until      timestamptz,
    created_at       timestamptz NOT NULL DEFAULT now(),
    picture_id       uuid,                               -- the file (media) of what they show, once it was asked for
    label_ids        text[] NOT NULL DEFAULT '{}',       -- which labels of the account it carries
    PRIMARY KEY (mentorado_id, id),
    UNIQUE (mentorado_id, contact_id),
    UNIQUE (mentorado_id, chat),
    FOREIGN KEY (mentorado_id, contact_id) REFERENCES whatsapp_contacts,
    FOREIGN KEY (mentorado_id, lead_id) REFERENCES leads,
    CHECK ((kind = 'person') = (contact_id IS NOT NULL)),
    CHECK ((kind = 'person') = (chat IS NULL))
);
CREATE INDEX conversations_picture ON conversations (mentorado_id, picture_id) WHERE picture_id IS NOT NULL;
CREATE INDEX conversations_recent
    ON conversations (mentorado_id, coalesce(last_message_at, created_at) DESC, id DESC);

CREATE TABLE whatsapp_messages (
    mentorado_id         uuid NOT NULL DEFAULT current_mentorado() REFERENCES mentorados,
    id                   bigint GENERATED ALWAYS AS IDENTITY,
    conversation_id      uuid NOT NULL,
    sender_id            uuid,                           -- the contact who wrote it; NULL: the mentorado
    provider             text NOT NULL,
    provider_message_id  text NOT NULL,
    direction            text NOT NULL CHECK (direction IN ('in', 'out')),
    content_type         text NOT NULL,                  -- text, unreadable, or the wire name of an unmodelled kind
    text                 text,
    content              jsonb,                          -- what it says, when that is more than a text
    media_reference      text,
    status               message_status,                 -- of what the mentorado wrote; NULL for what it received
    failure              text,
    source               text NOT NULL CHECK (source IN ('live', 'offline', 'history', 'echo', 'resend')),
    is_placeholder       boolean NOT NULL DEFAULT false,
    quoted_message_id    text,
    quoted_text          text,
    raw                  bytea,
    sent_at              timestamptz NOT NULL,
    about_id             text,                           -- the message it is about, when it only says something of another
    original             jsonb,                          -- what it said before it was edited
    edited_at            timestamptz,
    revoked_at           timestamptz,                    -- deleted for everyone: kept, and shown no more
    is_starred           boolean NOT NULL DEFAULT false,
    forwarded            integer NOT NULL DEFAULT 0,     -- how often it was passed on
    expires_at           timestamptz,                    -- of a message that disappears
    recorded_by          uuid,                           -- the worker that told of it first
    created_at           timestamptz NOT NULL DEFAULT now(),
    label_ids            text[] NOT NULL DEFAULT '{}',
    PRIMARY KEY (mentorado_id, id),
    CONSTRAINT whatsapp_messages_once
        UNIQUE NULLS NOT DISTINCT (mentorado_id, conversation_id, sender_id, provider_message_id),
    FOREIGN KEY (mentorado_id, conversation_id) REFERENCES conversations,
    FOREIGN KEY (mentorado_id, sender_id) REFERENCES whatsapp_contacts
);
CREATE INDEX whatsapp_messages_page ON whatsapp_messages (mentorado_id, conversation_id, sent_at, id);
CREATE INDEX whatsapp_messages_provider_id ON whatsapp_messages (mentorado_id, provider_message_id);
CREATE INDEX whatsapp_messages_about ON whatsapp_messages (mentorado_id, conversation_id, about_id)
    WHERE about_id IS NOT NULL;
CREATE INDEX whatsapp_messages_labeled ON whatsapp_messages USING gin (label_ids) WHERE label_ids <> '{}';
