-- What is read of a store of whatsmeow, by its documented schema 15.
CREATE TABLE whatsmeow_device (
    jid TEXT PRIMARY KEY, lid TEXT, facebook_uuid TEXT, registration_id BIGINT NOT NULL, noise_key BLOB NOT NULL,
    identity_key BLOB NOT NULL, signed_pre_key BLOB NOT NULL, signed_pre_key_id INTEGER NOT NULL,
    signed_pre_key_sig BLOB NOT NULL, adv_key BLOB NOT NULL, adv_details BLOB NOT NULL, adv_account_sig BLOB NOT NULL,
    adv_account_sig_key BLOB NOT NULL, adv_device_sig BLOB NOT NULL, platform TEXT NOT NULL DEFAULT '',
    business_name TEXT NOT NULL DEFAULT '', push_name TEXT NOT NULL DEFAULT ''
);
CREATE TABLE whatsmeow_sessions (our_jid TEXT, their_id TEXT, session BLOB, PRIMARY KEY (our_jid, their_id));
CREATE TABLE whatsmeow_pre_keys (jid TEXT, key_id INTEGER, key BLOB NOT NULL, uploaded BOOLEAN NOT NULL,
    PRIMARY KEY (jid, key_id));
CREATE TABLE whatsmeow_sender_keys (our_jid TEXT, chat_id TEXT, sender_id TEXT, sender_key BLOB NOT NULL,
    PRIMARY KEY (our_jid, chat_id, sender_id));
CREATE TABLE whatsmeow_app_state_sync_keys (jid TEXT, key_id BLOB, key_data BLOB NOT NULL, timestamp BIGINT NOT NULL,
    fingerprint BLOB NOT NULL, PRIMARY KEY (jid, key_id));
CREATE TABLE whatsmeow_lid_map (lid TEXT PRIMARY KEY, pn TEXT UNIQUE NOT NULL);
CREATE TABLE whatsmeow_privacy_tokens (our_jid TEXT, their_jid TEXT, token BLOB NOT NULL, timestamp BIGINT NOT NULL,
    sender_timestamp BIGINT, PRIMARY KEY (our_jid, their_jid));
