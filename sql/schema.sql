BEGIN TRANSACTION;

CREATE TABLE alembic_version (
    version_num VARCHAR(32) NOT NULL,
    CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);

GO

-- Running upgrade  -> 0001

CREATE TABLE alias (
    name NVARCHAR(160) COLLATE Latin1_General_100_BIN2 NOT NULL,
    interaction_id NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
    claimed_at DATETIME2(3) NOT NULL,
    revision INTEGER NOT NULL,
    CONSTRAINT pk_alias PRIMARY KEY (name)
);

GO

CREATE TABLE content (
    interaction_id NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
    document NVARCHAR(64) COLLATE Latin1_General_100_BIN2 NOT NULL,
    body VARBINARY(max) NOT NULL,
    CONSTRAINT pk_content PRIMARY KEY (interaction_id, document)
);

GO

CREATE TABLE content_read (
    id BIGINT NOT NULL IDENTITY,
    read_at DATETIME2(3) NOT NULL,
    reader NVARCHAR(256) NOT NULL,
    route NVARCHAR(64) NOT NULL,
    subject NVARCHAR(1024) NOT NULL,
    CONSTRAINT pk_content_read PRIMARY KEY (id)
);

GO

CREATE TABLE delivery (
    hub NVARCHAR(64) COLLATE Latin1_General_100_BIN2 NOT NULL,
    partition_id NVARCHAR(32) COLLATE Latin1_General_100_BIN2 NOT NULL,
    sequence BIGINT NOT NULL,
    enqueued_at DATETIME2(3) NOT NULL,
    outcome NVARCHAR(16) NOT NULL,
    source NVARCHAR(32) NULL,
    CONSTRAINT pk_delivery PRIMARY KEY (hub, partition_id, sequence, enqueued_at)
);

GO

CREATE TABLE dirty_hour (
    id BIGINT NOT NULL IDENTITY,
    hour DATETIME2(3) NOT NULL,
    CONSTRAINT pk_dirty_hour PRIMARY KEY (id)
);

GO

CREATE TABLE dirty_usage_key (
    id BIGINT NOT NULL IDENTITY,
    usage_key NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
    CONSTRAINT pk_dirty_usage_key PRIMARY KEY (id)
);

GO

CREATE TABLE hub_partition (
    hub NVARCHAR(64) COLLATE Latin1_General_100_BIN2 NOT NULL,
    partition_id NVARCHAR(32) COLLATE Latin1_General_100_BIN2 NOT NULL,
    received BIGINT NOT NULL,
    redelivered BIGINT NOT NULL,
    last_sequence BIGINT NOT NULL,
    last_enqueued_at DATETIME2(3) NOT NULL,
    CONSTRAINT pk_hub_partition PRIMARY KEY (hub, partition_id)
);

GO

CREATE TABLE interaction (
    id NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
    occurred_at DATETIME2(3) NOT NULL,
    has_request BIT NULL,
    has_response BIT NULL,
    gateway_refused BIT NULL,
    http_status BIGINT NULL,
    error_code NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NULL,
    error_message NVARCHAR(1024) NULL,
    operation NVARCHAR(32) COLLATE Latin1_General_100_BIN2 NULL,
    operation_id NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NULL,
    method NVARCHAR(16) COLLATE Latin1_General_100_BIN2 NULL,
    path NVARCHAR(1024) COLLATE Latin1_General_100_BIN2 NULL,
    api_version NVARCHAR(32) COLLATE Latin1_General_100_BIN2 NULL,
    deployment NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NULL,
    model NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NULL,
    streamed BIT NULL,
    parameters NVARCHAR(max) NULL,
    request_bytes BIGINT NULL,
    prompt_preview NVARCHAR(200) NULL,
    caller_ip NVARCHAR(64) COLLATE Latin1_General_100_BIN2 NULL,
    subscription_id NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NULL,
    product_id NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NULL,
    api_id NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NULL,
    user_id NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NULL,
    app_id NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NULL,
    [identity] NVARCHAR(max) NULL,
    session_id NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NULL,
    end_user_id NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NULL,
    client_request_id NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NULL,
    tags NVARCHAR(max) NULL,
    gateway_name NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NULL,
    gateway_region NVARCHAR(64) COLLATE Latin1_General_100_BIN2 NULL,
    backend_id NVARCHAR(256) COLLATE Latin1_General_100_BIN2 NULL,
    backend_host NVARCHAR(256) COLLATE Latin1_General_100_BIN2 NULL,
    attempts NVARCHAR(max) NULL,
    response_headers NVARCHAR(max) NULL,
    response_id NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NULL,
    response_bytes BIGINT NULL,
    latency_ms FLOAT(53) NULL,
    backend_ms FLOAT(53) NULL,
    time_to_first_byte_ms FLOAT(53) NULL,
    finish_reasons NVARCHAR(max) NULL,
    tool_calls BIGINT NULL,
    completion_preview NVARCHAR(200) NULL,
    prompt_filtered BIT NULL,
    completion_filtered BIT NULL,
    filter_categories NVARCHAR(max) NULL,
    truncated BIT NULL,
    usage_key NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NULL,
    input_tokens BIGINT NULL,
    cached_input_tokens BIGINT NULL,
    cache_write_tokens BIGINT NULL,
    output_tokens BIGINT NULL,
    reasoning_tokens BIGINT NULL,
    audio_input_tokens BIGINT NULL,
    audio_output_tokens BIGINT NULL,
    image_input_tokens BIGINT NULL,
    image_output_tokens BIGINT NULL,
    total_tokens BIGINT NULL,
    images BIGINT NULL,
    seconds FLOAT(53) NULL,
    characters BIGINT NULL,
    state NVARCHAR(16) NOT NULL,
    usage_provenance NVARCHAR(16) NOT NULL,
    sources NVARCHAR(max) NOT NULL,
    parts NVARCHAR(max) NOT NULL,
    field_sources NVARCHAR(128) NOT NULL,
    strands NVARCHAR(max) NULL,
    revision INTEGER NOT NULL,
    CONSTRAINT pk_interaction PRIMARY KEY NONCLUSTERED (id)
);

GO

CREATE CLUSTERED INDEX ix_interaction_occurred_at ON interaction (occurred_at, id);

GO

CREATE INDEX ix_interaction_usage_key ON interaction (usage_key);

GO

CREATE TABLE lease (
    name NVARCHAR(64) NOT NULL,
    taken BIGINT NOT NULL,
    CONSTRAINT pk_lease PRIMARY KEY (name)
);

GO

CREATE TABLE quarantine (
    id NVARCHAR(32) COLLATE Latin1_General_100_BIN2 NOT NULL,
    hub NVARCHAR(64) COLLATE Latin1_General_100_BIN2 NOT NULL,
    partition_id NVARCHAR(32) COLLATE Latin1_General_100_BIN2 NOT NULL,
    sequence BIGINT NOT NULL,
    enqueued_at DATETIME2(3) NOT NULL,
    reason NVARCHAR(512) NOT NULL,
    parser_version NVARCHAR(32) NOT NULL,
    size BIGINT NOT NULL,
    body VARBINARY(max) NOT NULL,
    CONSTRAINT pk_quarantine PRIMARY KEY (id)
);

GO

CREATE TABLE usage_day (
    interval_start DATETIME2(3) NOT NULL,
    operation NVARCHAR(32) COLLATE Latin1_General_100_BIN2 NULL,
    model NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NULL,
    deployment NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NULL,
    subscription_id NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NULL,
    product_id NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NULL,
    caller_ip NVARCHAR(64) COLLATE Latin1_General_100_BIN2 NULL,
    app_id NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NULL,
    user_id NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NULL,
    requests BIGINT NOT NULL,
    errors BIGINT NOT NULL,
    unmetered_requests BIGINT NOT NULL,
    input_tokens BIGINT NOT NULL,
    cached_input_tokens BIGINT NOT NULL,
    output_tokens BIGINT NOT NULL,
    reasoning_tokens BIGINT NOT NULL,
    total_tokens BIGINT NOT NULL
);

GO

CREATE CLUSTERED INDEX ix_usage_day_interval_start ON usage_day (interval_start);

GO

CREATE TABLE usage_hour (
    interval_start DATETIME2(3) NOT NULL,
    operation NVARCHAR(32) COLLATE Latin1_General_100_BIN2 NULL,
    model NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NULL,
    deployment NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NULL,
    subscription_id NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NULL,
    product_id NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NULL,
    caller_ip NVARCHAR(64) COLLATE Latin1_General_100_BIN2 NULL,
    app_id NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NULL,
    user_id NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NULL,
    requests BIGINT NOT NULL,
    errors BIGINT NOT NULL,
    unmetered_requests BIGINT NOT NULL,
    input_tokens BIGINT NOT NULL,
    cached_input_tokens BIGINT NOT NULL,
    output_tokens BIGINT NOT NULL,
    reasoning_tokens BIGINT NOT NULL,
    total_tokens BIGINT NOT NULL
);

GO

CREATE CLUSTERED INDEX ix_usage_hour_interval_start ON usage_hour (interval_start);

GO

CREATE TABLE usage_month (
    interval_start DATETIME2(3) NOT NULL,
    operation NVARCHAR(32) COLLATE Latin1_General_100_BIN2 NULL,
    model NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NULL,
    deployment NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NULL,
    subscription_id NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NULL,
    product_id NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NULL,
    caller_ip NVARCHAR(64) COLLATE Latin1_General_100_BIN2 NULL,
    app_id NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NULL,
    user_id NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NULL,
    requests BIGINT NOT NULL,
    errors BIGINT NOT NULL,
    unmetered_requests BIGINT NOT NULL,
    input_tokens BIGINT NOT NULL,
    cached_input_tokens BIGINT NOT NULL,
    output_tokens BIGINT NOT NULL,
    reasoning_tokens BIGINT NOT NULL,
    total_tokens BIGINT NOT NULL
);

GO

CREATE CLUSTERED INDEX ix_usage_month_interval_start ON usage_month (interval_start);

GO

CREATE TABLE waiting (
    interaction_id NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
    hub NVARCHAR(64) COLLATE Latin1_General_100_BIN2 NOT NULL,
    partition_id NVARCHAR(32) COLLATE Latin1_General_100_BIN2 NOT NULL,
    sequence BIGINT NOT NULL,
    enqueued_at DATETIME2(3) NOT NULL,
    CONSTRAINT pk_waiting PRIMARY KEY (interaction_id, hub, partition_id, sequence, enqueued_at)
);

GO

INSERT INTO alembic_version (version_num) OUTPUT inserted.version_num VALUES ('0001');

GO

-- Running upgrade 0001 -> 0002

ALTER TABLE interaction ADD filter_prompt_hate NVARCHAR(32) COLLATE Latin1_General_100_BIN2 NULL;

GO

ALTER TABLE interaction ADD filter_completion_hate NVARCHAR(32) COLLATE Latin1_General_100_BIN2 NULL;

GO

ALTER TABLE interaction ADD filter_prompt_sexual NVARCHAR(32) COLLATE Latin1_General_100_BIN2 NULL;

GO

ALTER TABLE interaction ADD filter_completion_sexual NVARCHAR(32) COLLATE Latin1_General_100_BIN2 NULL;

GO

ALTER TABLE interaction ADD filter_prompt_violence NVARCHAR(32) COLLATE Latin1_General_100_BIN2 NULL;

GO

ALTER TABLE interaction ADD filter_completion_violence NVARCHAR(32) COLLATE Latin1_General_100_BIN2 NULL;

GO

ALTER TABLE interaction ADD filter_prompt_self_harm NVARCHAR(32) COLLATE Latin1_General_100_BIN2 NULL;

GO

ALTER TABLE interaction ADD filter_completion_self_harm NVARCHAR(32) COLLATE Latin1_General_100_BIN2 NULL;

GO

ALTER TABLE interaction ADD filter_prompt_profanity NVARCHAR(32) COLLATE Latin1_General_100_BIN2 NULL;

GO

ALTER TABLE interaction ADD filter_completion_profanity NVARCHAR(32) COLLATE Latin1_General_100_BIN2 NULL;

GO

ALTER TABLE interaction ADD filter_prompt_blocklist NVARCHAR(32) COLLATE Latin1_General_100_BIN2 NULL;

GO

ALTER TABLE interaction ADD filter_completion_blocklist NVARCHAR(32) COLLATE Latin1_General_100_BIN2 NULL;

GO

ALTER TABLE interaction ADD filter_jailbreak NVARCHAR(32) COLLATE Latin1_General_100_BIN2 NULL;

GO

ALTER TABLE interaction ADD filter_indirect_attack NVARCHAR(32) COLLATE Latin1_General_100_BIN2 NULL;

GO

ALTER TABLE interaction ADD filter_protected_text NVARCHAR(32) COLLATE Latin1_General_100_BIN2 NULL;

GO

ALTER TABLE interaction ADD filter_protected_code NVARCHAR(32) COLLATE Latin1_General_100_BIN2 NULL;

GO

ALTER TABLE usage_hour ADD filtered_requests BIGINT NULL;

GO

ALTER TABLE usage_hour ADD prompt_filtered BIGINT NULL;

GO

ALTER TABLE usage_hour ADD completion_filtered BIGINT NULL;

GO

ALTER TABLE usage_hour ADD jailbreaks BIGINT NULL;

GO

ALTER TABLE usage_hour ADD indirect_attacks BIGINT NULL;

GO

ALTER TABLE usage_hour ADD protected_material BIGINT NULL;

GO

ALTER TABLE usage_hour ADD blocklisted BIGINT NULL;

GO

ALTER TABLE usage_day ADD filtered_requests BIGINT NULL;

GO

ALTER TABLE usage_day ADD prompt_filtered BIGINT NULL;

GO

ALTER TABLE usage_day ADD completion_filtered BIGINT NULL;

GO

ALTER TABLE usage_day ADD jailbreaks BIGINT NULL;

GO

ALTER TABLE usage_day ADD indirect_attacks BIGINT NULL;

GO

ALTER TABLE usage_day ADD protected_material BIGINT NULL;

GO

ALTER TABLE usage_day ADD blocklisted BIGINT NULL;

GO

ALTER TABLE usage_month ADD filtered_requests BIGINT NULL;

GO

ALTER TABLE usage_month ADD prompt_filtered BIGINT NULL;

GO

ALTER TABLE usage_month ADD completion_filtered BIGINT NULL;

GO

ALTER TABLE usage_month ADD jailbreaks BIGINT NULL;

GO

ALTER TABLE usage_month ADD indirect_attacks BIGINT NULL;

GO

ALTER TABLE usage_month ADD protected_material BIGINT NULL;

GO

ALTER TABLE usage_month ADD blocklisted BIGINT NULL;

GO

insert into dirty_hour (hour) select distinct interval_start from usage_hour;

GO

UPDATE alembic_version SET version_num='0002' WHERE alembic_version.version_num = '0001';

GO

-- Running upgrade 0002 -> 0003

ALTER TABLE interaction ADD awaited NVARCHAR(max) NULL;

GO

CREATE TABLE claim (
    interaction_id NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
    document NVARCHAR(64) COLLATE Latin1_General_100_BIN2 NOT NULL,
    noted_at DATETIME2(3) NOT NULL,
    due_at DATETIME2(3) NOT NULL,
    CONSTRAINT pk_claim PRIMARY KEY (interaction_id, document)
);

GO

CREATE INDEX ix_claim_due_at ON claim (due_at);

GO

UPDATE alembic_version SET version_num='0003' WHERE alembic_version.version_num = '0002';

GO

-- Running upgrade 0003 -> 0004

ALTER TABLE waiting ADD stored_at DATETIME2(3) NULL;

GO

ALTER TABLE quarantine ADD discarded_at DATETIME2(3) NULL;

GO

CREATE INDEX ix_delivery_enqueued_at ON delivery (enqueued_at);

GO

CREATE TABLE quarantine_action (
    id BIGINT NOT NULL IDENTITY,
    acted_at DATETIME2(3) NOT NULL,
    actor NVARCHAR(256) NOT NULL,
    action NVARCHAR(16) NOT NULL,
    event_id NVARCHAR(32) COLLATE Latin1_General_100_BIN2 NOT NULL,
    hub NVARCHAR(64) COLLATE Latin1_General_100_BIN2 NOT NULL,
    partition_id NVARCHAR(32) COLLATE Latin1_General_100_BIN2 NOT NULL,
    sequence BIGINT NOT NULL,
    enqueued_at DATETIME2(3) NOT NULL,
    result NVARCHAR(16) NOT NULL,
    reason NVARCHAR(512) NULL,
    CONSTRAINT pk_quarantine_action PRIMARY KEY (id)
);

GO

CREATE TABLE finding (
    id NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
    hub NVARCHAR(64) COLLATE Latin1_General_100_BIN2 NOT NULL,
    hour DATETIME2(3) NOT NULL,
    kind NVARCHAR(32) NOT NULL,
    number BIGINT NOT NULL,
    detail NVARCHAR(max) NULL,
    found_at DATETIME2(3) NOT NULL,
    resolved_at DATETIME2(3) NULL,
    CONSTRAINT pk_finding PRIMARY KEY (id)
);

GO

CREATE INDEX ix_finding_hour ON finding (hour, id);

GO

UPDATE alembic_version SET version_num='0004' WHERE alembic_version.version_num = '0003';

GO

-- Running upgrade 0004 -> 0005

ALTER TABLE usage_hour ADD token_requests BIGINT NULL;

GO

ALTER TABLE usage_day ADD token_requests BIGINT NULL;

GO

ALTER TABLE usage_month ADD token_requests BIGINT NULL;

GO

insert into dirty_hour (hour) select distinct interval_start from usage_hour;

GO

UPDATE alembic_version SET version_num='0005' WHERE alembic_version.version_num = '0004';

GO

-- Running upgrade 0005 -> 0006

ALTER TABLE interaction ADD requested_model NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NULL;

GO

ALTER TABLE interaction ADD served_deployment NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NULL;

GO

ALTER TABLE interaction ADD spillover NVARCHAR(max) NULL;

GO

ALTER TABLE interaction ADD cached BIT NULL;

GO

ALTER TABLE interaction ADD filter_failed BIT NULL;

GO

ALTER TABLE interaction ADD possible_refusal BIT NULL;

GO

ALTER TABLE interaction ADD unreadable NVARCHAR(32) COLLATE Latin1_General_100_BIN2 NULL;

GO

ALTER TABLE interaction ADD not_captured NVARCHAR(32) COLLATE Latin1_General_100_BIN2 NULL;

GO

ALTER TABLE interaction ADD time_replaced BIT NULL;

GO

ALTER TABLE interaction ADD callers_differ BIT NULL;

GO

ALTER TABLE interaction ADD unknown_words NVARCHAR(max) NULL;

GO

ALTER TABLE usage_hour ADD cached_requests BIGINT NULL;

GO

ALTER TABLE usage_hour ADD filter_failures BIGINT NULL;

GO

ALTER TABLE usage_day ADD cached_requests BIGINT NULL;

GO

ALTER TABLE usage_day ADD filter_failures BIGINT NULL;

GO

ALTER TABLE usage_month ADD cached_requests BIGINT NULL;

GO

ALTER TABLE usage_month ADD filter_failures BIGINT NULL;

GO

insert into dirty_hour (hour) select distinct interval_start from usage_hour;

GO

UPDATE alembic_version SET version_num='0006' WHERE alembic_version.version_num = '0005';

GO

-- Running upgrade 0006 -> 0007

ALTER TABLE lease ADD ran_at DATETIME2(3) NULL;

GO

UPDATE alembic_version SET version_num='0007' WHERE alembic_version.version_num = '0006';

GO

-- Running upgrade 0007 -> 0008

ALTER TABLE interaction ADD vendor NVARCHAR(16) COLLATE Latin1_General_100_BIN2 NULL;

GO

ALTER TABLE usage_hour ADD vendor NVARCHAR(16) COLLATE Latin1_General_100_BIN2 NULL;

GO

ALTER TABLE usage_day ADD vendor NVARCHAR(16) COLLATE Latin1_General_100_BIN2 NULL;

GO

ALTER TABLE usage_month ADD vendor NVARCHAR(16) COLLATE Latin1_General_100_BIN2 NULL;

GO

insert into dirty_hour (hour) select distinct interval_start from usage_hour;

GO

UPDATE alembic_version SET version_num='0008' WHERE alembic_version.version_num = '0007';

GO

-- Running upgrade 0008 -> 0009

ALTER TABLE interaction ADD is_error AS (case when http_status < 100 or http_status >= 400 or error_code is not null or gateway_refused = 1 or state in ('failed', 'refused') then 1 else 0 end);

GO

ALTER TABLE interaction ADD has_findings AS (case when prompt_filtered = 1 or completion_filtered = 1 or filter_prompt_hate is not null or filter_completion_hate is not null or filter_prompt_sexual is not null or filter_completion_sexual is not null or filter_prompt_violence is not null or filter_completion_violence is not null or filter_prompt_self_harm is not null or filter_completion_self_harm is not null or filter_prompt_profanity is not null or filter_completion_profanity is not null or filter_prompt_blocklist is not null or filter_completion_blocklist is not null or filter_jailbreak is not null or filter_indirect_attack is not null or filter_protected_text is not null or filter_protected_code is not null then 1 else 0 end);

GO

ALTER TABLE interaction ADD known_operation AS (coalesce(operation, 'other'));

GO

ALTER TABLE interaction ADD source_list AS (cast(sources as nvarchar(400)));

GO

DROP INDEX ix_interaction_occurred_at ON interaction;

GO

CREATE UNIQUE CLUSTERED INDEX ix_interaction_occurred_at ON interaction (occurred_at, id);

GO

CREATE INDEX ix_interaction_known_operation ON interaction (known_operation, occurred_at);

GO

CREATE INDEX ix_interaction_state ON interaction (state, occurred_at);

GO

CREATE INDEX ix_interaction_model ON interaction (model, occurred_at) WHERE model is not null;

GO

CREATE INDEX ix_interaction_caller_ip ON interaction (caller_ip, occurred_at) WHERE caller_ip is not null;

GO

CREATE INDEX ix_interaction_deployment ON interaction (deployment, occurred_at) WHERE deployment is not null;

GO

CREATE INDEX ix_interaction_subscription_id ON interaction (subscription_id, occurred_at) WHERE subscription_id is not null;

GO

CREATE INDEX ix_interaction_product_id ON interaction (product_id, occurred_at) WHERE product_id is not null;

GO

CREATE INDEX ix_interaction_user_id ON interaction (user_id, occurred_at) WHERE user_id is not null;

GO

CREATE INDEX ix_interaction_app_id ON interaction (app_id, occurred_at) WHERE app_id is not null;

GO

CREATE INDEX ix_interaction_http_status ON interaction (http_status, occurred_at) WHERE http_status is not null;

GO

CREATE INDEX ix_interaction_streamed ON interaction (streamed, occurred_at) WHERE streamed is not null;

GO

CREATE INDEX ix_interaction_cached ON interaction (cached, occurred_at) WHERE cached is not null;

GO

CREATE INDEX ix_interaction_requested_model ON interaction (requested_model, occurred_at) WHERE requested_model is not null;

GO

CREATE INDEX ix_interaction_vendor ON interaction (vendor, occurred_at) WHERE vendor is not null;

GO

CREATE INDEX ix_interaction_truncated ON interaction (truncated, occurred_at) WHERE truncated = 1;

GO

CREATE INDEX ix_interaction_filter_failed ON interaction (filter_failed, occurred_at) WHERE filter_failed = 1;

GO

CREATE INDEX ix_interaction_possible_refusal ON interaction (possible_refusal, occurred_at) WHERE possible_refusal = 1;

GO

CREATE INDEX ix_interaction_callers_differ ON interaction (callers_differ, occurred_at) WHERE callers_differ = 1;

GO

CREATE INDEX ix_interaction_unreadable ON interaction (occurred_at, unreadable) WHERE unreadable is not null;

GO

CREATE INDEX ix_interaction_is_error ON interaction (is_error, occurred_at);

GO

CREATE INDEX ix_interaction_has_findings ON interaction (has_findings, occurred_at, prompt_filtered, completion_filtered, filter_prompt_hate, filter_completion_hate, filter_prompt_sexual, filter_completion_sexual, filter_prompt_violence, filter_completion_violence, filter_prompt_self_harm, filter_completion_self_harm, filter_prompt_profanity, filter_completion_profanity, filter_prompt_blocklist, filter_completion_blocklist, filter_jailbreak, filter_indirect_attack, filter_protected_text, filter_protected_code);

GO

CREATE INDEX ix_interaction_total_tokens ON interaction (total_tokens, occurred_at, id, cached) WHERE total_tokens is not null;

GO

CREATE INDEX ix_interaction_source_list ON interaction (source_list, occurred_at, id);

GO

DROP INDEX ix_interaction_usage_key ON interaction;

GO

CREATE INDEX ix_interaction_usage_key ON interaction (usage_key) INCLUDE (total_tokens, cached, usage_provenance) WHERE usage_key is not null;

GO

CREATE INDEX ix_quarantine_held ON quarantine (enqueued_at, id) INCLUDE (discarded_at) WHERE discarded_at is null;

GO

DROP INDEX ix_delivery_enqueued_at ON delivery;

GO

CREATE INDEX ix_delivery_enqueued_at ON delivery (enqueued_at, outcome);

GO

UPDATE alembic_version SET version_num='0009' WHERE alembic_version.version_num = '0008';

GO

-- Running upgrade 0009 -> 0010

CREATE TABLE price_book (
    version INTEGER NOT NULL,
    loaded_at DATETIME2(3) NOT NULL,
    origin NVARCHAR(16) NOT NULL,
    digest NVARCHAR(64) COLLATE Latin1_General_100_BIN2 NOT NULL,
    CONSTRAINT pk_price_book PRIMARY KEY (version)
);

GO

CREATE TABLE price (
    is_own BIT NOT NULL,
    model NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
    version NVARCHAR(32) COLLATE Latin1_General_100_BIN2 NOT NULL,
    scope NVARCHAR(32) COLLATE Latin1_General_100_BIN2 NOT NULL,
    tier NVARCHAR(32) COLLATE Latin1_General_100_BIN2 NOT NULL,
    region NVARCHAR(32) COLLATE Latin1_General_100_BIN2 NOT NULL,
    unit NVARCHAR(32) COLLATE Latin1_General_100_BIN2 NOT NULL,
    variant NVARCHAR(32) COLLATE Latin1_General_100_BIN2 NOT NULL,
    above_tokens BIGINT NOT NULL,
    valid_from DATETIME2(3) NOT NULL,
    valid_to DATETIME2(3) NULL,
    amount NVARCHAR(32) COLLATE Latin1_General_100_BIN2 NOT NULL,
    currency NVARCHAR(3) COLLATE Latin1_General_100_BIN2 NOT NULL,
    source NVARCHAR(256) NOT NULL,
    dated DATETIME2(3) NOT NULL,
    book_version INTEGER NOT NULL,
    CONSTRAINT pk_price PRIMARY KEY (is_own, model, version, scope, tier, region, unit, variant, above_tokens, valid_from)
);

GO

CREATE TABLE model_deployment (
    host NVARCHAR(256) COLLATE Latin1_General_100_BIN2 NOT NULL,
    name NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
    valid_from DATETIME2(3) NOT NULL,
    valid_to DATETIME2(3) NULL,
    model NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
    version NVARCHAR(32) COLLATE Latin1_General_100_BIN2 NOT NULL,
    sku NVARCHAR(32) COLLATE Latin1_General_100_BIN2 NOT NULL,
    region NVARCHAR(32) COLLATE Latin1_General_100_BIN2 NOT NULL,
    book_version INTEGER NOT NULL,
    CONSTRAINT pk_model_deployment PRIMARY KEY (host, name, valid_from)
);

GO

CREATE TABLE charge (
    occurred_at DATETIME2(3) NOT NULL,
    interaction_id NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
    amount NUMERIC(38, 12) NULL,
    currency NVARCHAR(3) COLLATE Latin1_General_100_BIN2 NULL,
    price_version INTEGER NULL,
    confidence NVARCHAR(16) NOT NULL,
    reason NVARCHAR(32) NULL,
    CONSTRAINT pk_charge PRIMARY KEY (occurred_at, interaction_id)
);

GO

ALTER TABLE interaction ADD service_tier NVARCHAR(16) COLLATE Latin1_General_100_BIN2 NULL;

GO

ALTER TABLE interaction ADD web_searches BIGINT NULL;

GO

ALTER TABLE interaction ADD cache_write_1h_tokens BIGINT NULL;

GO

ALTER TABLE usage_hour ADD currency NVARCHAR(3) COLLATE Latin1_General_100_BIN2 NULL;

GO

ALTER TABLE usage_hour ADD unpriced_requests BIGINT NULL;

GO

ALTER TABLE usage_hour ADD amount NUMERIC(38, 12) NULL;

GO

ALTER TABLE usage_day ADD currency NVARCHAR(3) COLLATE Latin1_General_100_BIN2 NULL;

GO

ALTER TABLE usage_day ADD unpriced_requests BIGINT NULL;

GO

ALTER TABLE usage_day ADD amount NUMERIC(38, 12) NULL;

GO

ALTER TABLE usage_month ADD currency NVARCHAR(3) COLLATE Latin1_General_100_BIN2 NULL;

GO

ALTER TABLE usage_month ADD unpriced_requests BIGINT NULL;

GO

ALTER TABLE usage_month ADD amount NUMERIC(38, 12) NULL;

GO

insert into dirty_hour (hour) select distinct interval_start from usage_hour;

GO

UPDATE alembic_version SET version_num='0010' WHERE alembic_version.version_num = '0009';

GO

-- Running upgrade 0010 -> 0011

CREATE TABLE assignment (
    matched NVARCHAR(16) COLLATE Latin1_General_100_BIN2 NOT NULL,
    name NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
    value NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
    valid_from DATETIME2(3) NOT NULL,
    valid_to DATETIME2(3) NULL,
    team NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
    cost_centre NVARCHAR(64) COLLATE Latin1_General_100_BIN2 NOT NULL,
    version INTEGER NOT NULL,
    CONSTRAINT pk_assignment PRIMARY KEY (matched, name, value, valid_from)
);

GO

CREATE INDEX ix_assignment_version ON assignment (version);

GO

CREATE TABLE money_change (
    id BIGINT NOT NULL IDENTITY,
    changed_at DATETIME2(3) NOT NULL,
    actor NVARCHAR(256) NOT NULL,
    subject NVARCHAR(16) NOT NULL,
    old_value NVARCHAR(max) NULL,
    new_value NVARCHAR(max) NULL,
    CONSTRAINT pk_money_change PRIMARY KEY (id)
);

GO

ALTER TABLE charge ADD team NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NULL;

GO

ALTER TABLE usage_hour ADD team NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NULL;

GO

ALTER TABLE usage_day ADD team NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NULL;

GO

ALTER TABLE usage_month ADD team NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NULL;

GO

CREATE INDEX ix_charge_team ON charge (team, occurred_at, interaction_id) WHERE team is not null;

GO

ALTER TABLE charge ADD cost_centre NVARCHAR(64) COLLATE Latin1_General_100_BIN2 NULL;

GO

ALTER TABLE usage_hour ADD cost_centre NVARCHAR(64) COLLATE Latin1_General_100_BIN2 NULL;

GO

ALTER TABLE usage_day ADD cost_centre NVARCHAR(64) COLLATE Latin1_General_100_BIN2 NULL;

GO

ALTER TABLE usage_month ADD cost_centre NVARCHAR(64) COLLATE Latin1_General_100_BIN2 NULL;

GO

CREATE INDEX ix_charge_cost_centre ON charge (cost_centre, occurred_at, interaction_id) WHERE cost_centre is not null;

GO

ALTER TABLE charge ADD matched NVARCHAR(16) NULL;

GO

UPDATE alembic_version SET version_num='0011' WHERE alembic_version.version_num = '0010';

GO

-- Running upgrade 0011 -> 0012

ALTER TABLE price_book ADD actor NVARCHAR(256) NULL;

GO

ALTER TABLE price ADD ended_version INTEGER NULL;

GO

ALTER TABLE model_deployment ADD ended_version INTEGER NULL;

GO

UPDATE alembic_version SET version_num='0012' WHERE alembic_version.version_num = '0011';

GO

-- Running upgrade 0012 -> 0013

CREATE TABLE restatement (
    version INTEGER NOT NULL,
    starts_from DATETIME2(3) NOT NULL,
    starts_before DATETIME2(3) NOT NULL,
    price_version INTEGER NULL,
    reason NVARCHAR(512) NOT NULL,
    finished_at DATETIME2(3) NULL,
    CONSTRAINT pk_restatement PRIMARY KEY (version)
);

GO

CREATE TABLE restated_amount (
    version INTEGER NOT NULL,
    stage NVARCHAR(8) COLLATE Latin1_General_100_BIN2 NOT NULL,
    currency NVARCHAR(3) COLLATE Latin1_General_100_BIN2 NOT NULL,
    amount NUMERIC(38, 12) NULL,
    requests BIGINT NOT NULL,
    unpriced_requests BIGINT NOT NULL,
    CONSTRAINT pk_restated_amount PRIMARY KEY (version, stage, currency)
);

GO

UPDATE alembic_version SET version_num='0013' WHERE alembic_version.version_num = '0012';

GO

-- Running upgrade 0013 -> 0014

CREATE TABLE cost_hour (
    interval_start DATETIME2(3) NOT NULL,
    kind NVARCHAR(16) COLLATE Latin1_General_100_BIN2 NOT NULL,
    team NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
    cost_centre NVARCHAR(64) COLLATE Latin1_General_100_BIN2 NOT NULL,
    subscription_id NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
    product_id NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
    model NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
    deployment NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
    host NVARCHAR(256) COLLATE Latin1_General_100_BIN2 NOT NULL,
    confidence NVARCHAR(16) COLLATE Latin1_General_100_BIN2 NOT NULL,
    currency NVARCHAR(3) COLLATE Latin1_General_100_BIN2 NOT NULL,
    unit NVARCHAR(32) COLLATE Latin1_General_100_BIN2 NOT NULL,
    meter NVARCHAR(256) COLLATE Latin1_General_100_BIN2 NOT NULL,
    price NUMERIC(38, 12) NOT NULL,
    quantity NUMERIC(38, 6) NOT NULL,
    amount NUMERIC(38, 12) NULL
);

GO

CREATE CLUSTERED INDEX ix_cost_hour_interval_start ON cost_hour (interval_start);

GO

CREATE TABLE cost_day (
    interval_start DATETIME2(3) NOT NULL,
    kind NVARCHAR(16) COLLATE Latin1_General_100_BIN2 NOT NULL,
    team NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
    cost_centre NVARCHAR(64) COLLATE Latin1_General_100_BIN2 NOT NULL,
    subscription_id NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
    product_id NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
    model NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
    deployment NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
    host NVARCHAR(256) COLLATE Latin1_General_100_BIN2 NOT NULL,
    confidence NVARCHAR(16) COLLATE Latin1_General_100_BIN2 NOT NULL,
    currency NVARCHAR(3) COLLATE Latin1_General_100_BIN2 NOT NULL,
    unit NVARCHAR(32) COLLATE Latin1_General_100_BIN2 NOT NULL,
    meter NVARCHAR(256) COLLATE Latin1_General_100_BIN2 NOT NULL,
    price NUMERIC(38, 12) NOT NULL,
    quantity NUMERIC(38, 6) NOT NULL,
    amount NUMERIC(38, 12) NULL
);

GO

CREATE CLUSTERED INDEX ix_cost_day_interval_start ON cost_day (interval_start);

GO

CREATE TABLE closed_line (
    interval_start DATETIME2(3) NOT NULL,
    kind NVARCHAR(16) COLLATE Latin1_General_100_BIN2 NOT NULL,
    team NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
    cost_centre NVARCHAR(64) COLLATE Latin1_General_100_BIN2 NOT NULL,
    subscription_id NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
    product_id NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
    model NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
    deployment NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
    host NVARCHAR(256) COLLATE Latin1_General_100_BIN2 NOT NULL,
    confidence NVARCHAR(16) COLLATE Latin1_General_100_BIN2 NOT NULL,
    currency NVARCHAR(3) COLLATE Latin1_General_100_BIN2 NOT NULL,
    unit NVARCHAR(32) COLLATE Latin1_General_100_BIN2 NOT NULL,
    meter NVARCHAR(256) COLLATE Latin1_General_100_BIN2 NOT NULL,
    price NUMERIC(38, 12) NOT NULL,
    quantity NUMERIC(38, 6) NOT NULL,
    amount NUMERIC(38, 12) NULL
);

GO

CREATE CLUSTERED INDEX ix_closed_line_interval_start ON closed_line (interval_start);

GO

CREATE TABLE closed_month (
    month DATETIME2(3) NOT NULL,
    closed_at DATETIME2(3) NOT NULL,
    actor NVARCHAR(256) NOT NULL,
    digest NVARCHAR(64) COLLATE Latin1_General_100_BIN2 NOT NULL,
    line_count INTEGER NOT NULL,
    unpriced_calls BIGINT NOT NULL,
    unmetered_calls BIGINT NOT NULL,
    pending_calls BIGINT NOT NULL,
    CONSTRAINT pk_closed_month PRIMARY KEY (month)
);

GO

CREATE TABLE adjustment (
    booked_in DATETIME2(3) NOT NULL,
    booked_at DATETIME2(3) NOT NULL,
    month DATETIME2(3) NOT NULL,
    interval_start DATETIME2(3) NOT NULL,
    kind NVARCHAR(16) COLLATE Latin1_General_100_BIN2 NOT NULL,
    team NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
    cost_centre NVARCHAR(64) COLLATE Latin1_General_100_BIN2 NOT NULL,
    subscription_id NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
    product_id NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
    model NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
    deployment NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
    host NVARCHAR(256) COLLATE Latin1_General_100_BIN2 NOT NULL,
    confidence NVARCHAR(16) COLLATE Latin1_General_100_BIN2 NOT NULL,
    currency NVARCHAR(3) COLLATE Latin1_General_100_BIN2 NOT NULL,
    unit NVARCHAR(32) COLLATE Latin1_General_100_BIN2 NOT NULL,
    meter NVARCHAR(256) COLLATE Latin1_General_100_BIN2 NOT NULL,
    price NUMERIC(38, 12) NOT NULL,
    quantity NUMERIC(38, 6) NOT NULL,
    amount NUMERIC(38, 12) NULL
);

GO

CREATE CLUSTERED INDEX ix_adjustment_booked_in ON adjustment (booked_in);

GO

CREATE INDEX ix_adjustment_interval_start ON adjustment (interval_start);

GO

insert into dirty_hour (hour) select distinct interval_start from usage_hour;

GO

UPDATE alembic_version SET version_num='0014' WHERE alembic_version.version_num = '0013';

GO

-- Running upgrade 0014 -> 0015

CREATE TABLE word_mark (
    id BIGINT NOT NULL IDENTITY,
    interaction_id NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
    document NVARCHAR(64) COLLATE Latin1_General_100_BIN2 NULL,
    marked_at DATETIME2(3) NOT NULL,
    CONSTRAINT pk_word_mark PRIMARY KEY (id)
);

GO

CREATE TABLE word_entry (
    number BIGINT NOT NULL,
    interaction_id NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
    words NVARCHAR(max) NULL,
    CONSTRAINT pk_word_entry PRIMARY KEY (number)
);

GO

CREATE UNIQUE INDEX ix_word_entry_interaction_id ON word_entry (interaction_id);

GO

CREATE TABLE word_volume (
    week BIGINT NOT NULL,
    generation BIGINT NOT NULL,
    is_complete BIT NOT NULL,
    filled_at DATETIME2(3) NULL,
    filled_id NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NULL,
    made_at DATETIME2(3) NOT NULL,
    is_erased BIT NOT NULL,
    CONSTRAINT pk_word_volume PRIMARY KEY (week, generation)
);

GO

UPDATE alembic_version SET version_num='0015' WHERE alembic_version.version_num = '0014';

GO

-- Running upgrade 0015 -> 0016

CREATE TABLE budget (
    id NVARCHAR(64) COLLATE Latin1_General_100_BIN2 NOT NULL,
    name NVARCHAR(128) NOT NULL,
    target NVARCHAR(16) COLLATE Latin1_General_100_BIN2 NOT NULL,
    value NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
    period NVARCHAR(16) NOT NULL,
    measure NVARCHAR(16) NOT NULL,
    amount NVARCHAR(48) COLLATE Latin1_General_100_BIN2 NOT NULL,
    currency NVARCHAR(3) COLLATE Latin1_General_100_BIN2 NULL,
    thresholds NVARCHAR(max) NOT NULL,
    warns_ahead BIT NOT NULL,
    finds_anomalies BIT NOT NULL,
    is_enforced BIT NOT NULL,
    CONSTRAINT pk_budget PRIMARY KEY (id)
);

GO

CREATE INDEX ix_budget_target ON budget (target, value);

GO

CREATE TABLE budget_state (
    budget_id NVARCHAR(64) COLLATE Latin1_General_100_BIN2 NOT NULL,
    period_start DATETIME2(3) NOT NULL,
    period_end DATETIME2(3) NOT NULL,
    used NVARCHAR(48) COLLATE Latin1_General_100_BIN2 NOT NULL,
    forecast NVARCHAR(48) COLLATE Latin1_General_100_BIN2 NULL,
    forecast_method NVARCHAR(32) NULL,
    unpriced_requests BIGINT NOT NULL,
    has_other_currencies BIT NOT NULL,
    is_exhausted BIT NOT NULL,
    measured_at DATETIME2(3) NOT NULL,
    examined_hour DATETIME2(3) NULL,
    CONSTRAINT pk_budget_state PRIMARY KEY (budget_id)
);

GO

CREATE TABLE budget_block (
    kind NVARCHAR(16) COLLATE Latin1_General_100_BIN2 NOT NULL,
    value NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
    budget_id NVARCHAR(64) COLLATE Latin1_General_100_BIN2 NOT NULL,
    until DATETIME2(3) NOT NULL,
    CONSTRAINT pk_budget_block PRIMARY KEY (kind, value, budget_id)
);

GO

CREATE TABLE alert (
    id NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
    raised_at DATETIME2(3) NOT NULL,
    budget_id NVARCHAR(64) COLLATE Latin1_General_100_BIN2 NOT NULL,
    kind NVARCHAR(16) COLLATE Latin1_General_100_BIN2 NOT NULL,
    threshold INTEGER NULL,
    period_start DATETIME2(3) NOT NULL,
    used NVARCHAR(48) COLLATE Latin1_General_100_BIN2 NOT NULL,
    detail NVARCHAR(max) NOT NULL,
    CONSTRAINT pk_alert PRIMARY KEY (id)
);

GO

CREATE INDEX ix_alert_raised_at ON alert (raised_at, id);

GO

CREATE TABLE alert_delivery (
    alert_id NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
    webhook NVARCHAR(64) COLLATE Latin1_General_100_BIN2 NOT NULL,
    attempts INTEGER NOT NULL,
    delivered_at DATETIME2(3) NULL,
    due_at DATETIME2(3) NULL,
    result NVARCHAR(256) NULL,
    CONSTRAINT pk_alert_delivery PRIMARY KEY (alert_id, webhook)
);

GO

CREATE INDEX ix_alert_delivery_due_at ON alert_delivery (due_at);

GO

UPDATE alembic_version SET version_num='0016' WHERE alembic_version.version_num = '0015';

GO

-- Running upgrade 0016 -> 0017

ALTER TABLE content_read ADD reader_name NVARCHAR(256) NULL;

GO

ALTER TABLE content_read ADD app_id NVARCHAR(64) COLLATE Latin1_General_100_BIN2 NULL;

GO

ALTER TABLE content_read ADD roles NVARCHAR(128) NULL;

GO

ALTER TABLE content_read ADD purpose NVARCHAR(256) NULL;

GO

ALTER TABLE content_read ADD row_count BIGINT NULL;

GO

ALTER TABLE content_read ADD interactions NVARCHAR(max) NULL;

GO

ALTER TABLE content_read ADD request_id NVARCHAR(64) COLLATE Latin1_General_100_BIN2 NULL;

GO

ALTER TABLE content_read ADD result NVARCHAR(16) NULL;

GO

CREATE INDEX ix_content_read_time ON content_read (read_at, id);

GO

CREATE INDEX ix_content_read_reader ON content_read (reader, read_at, id);

GO

UPDATE alembic_version SET version_num='0017' WHERE alembic_version.version_num = '0016';

GO

-- Running upgrade 0017 -> 0018

ALTER TABLE charge ADD group_id BIGINT NULL;

GO

ALTER TABLE charge ADD counted NVARCHAR(max) NULL;

GO

ALTER TABLE dirty_hour ADD calls NVARCHAR(max) NULL;

GO

CREATE TABLE usage_group (
    id BIGINT NOT NULL IDENTITY,
    cut SMALLINT NOT NULL,
    digest NVARCHAR(32) COLLATE Latin1_General_100_BIN2 NOT NULL,
    operation NVARCHAR(32) COLLATE Latin1_General_100_BIN2 NOT NULL DEFAULT '',
    model NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NOT NULL DEFAULT '',
    deployment NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NOT NULL DEFAULT '',
    subscription_id NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NOT NULL DEFAULT '',
    product_id NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NOT NULL DEFAULT '',
    caller_ip NVARCHAR(64) COLLATE Latin1_General_100_BIN2 NOT NULL DEFAULT '',
    app_id NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NOT NULL DEFAULT '',
    user_id NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NOT NULL DEFAULT '',
    vendor NVARCHAR(16) COLLATE Latin1_General_100_BIN2 NOT NULL DEFAULT '',
    currency NVARCHAR(3) COLLATE Latin1_General_100_BIN2 NOT NULL DEFAULT '',
    team NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NOT NULL DEFAULT '',
    cost_centre NVARCHAR(64) COLLATE Latin1_General_100_BIN2 NOT NULL DEFAULT '',
    CONSTRAINT pk_usage_group PRIMARY KEY (id)
);

GO

CREATE UNIQUE INDEX ix_usage_group_digest ON usage_group (digest);

GO

CREATE INDEX ix_usage_group_caller_ip ON usage_group (cut, caller_ip);

GO

CREATE INDEX ix_usage_group_app_id ON usage_group (cut, app_id);

GO

CREATE INDEX ix_usage_group_user_id ON usage_group (cut, user_id);

GO

CREATE INDEX ix_usage_group_subscription_id ON usage_group (cut, subscription_id);

GO

CREATE INDEX ix_usage_group_team ON usage_group (cut, team);

GO

CREATE INDEX ix_usage_group_cost_centre ON usage_group (cut, cost_centre);

GO

CREATE TABLE usage_of_hour (
    cut SMALLINT NOT NULL,
    interval_start DATETIME2(3) NOT NULL,
    group_id BIGINT NOT NULL,
    requests BIGINT NOT NULL DEFAULT '0',
    errors BIGINT NOT NULL DEFAULT '0',
    unmetered_requests BIGINT NOT NULL DEFAULT '0',
    input_tokens BIGINT NOT NULL DEFAULT '0',
    cached_input_tokens BIGINT NOT NULL DEFAULT '0',
    output_tokens BIGINT NOT NULL DEFAULT '0',
    reasoning_tokens BIGINT NOT NULL DEFAULT '0',
    total_tokens BIGINT NOT NULL DEFAULT '0',
    filtered_requests BIGINT NOT NULL DEFAULT '0',
    prompt_filtered BIGINT NOT NULL DEFAULT '0',
    completion_filtered BIGINT NOT NULL DEFAULT '0',
    jailbreaks BIGINT NOT NULL DEFAULT '0',
    indirect_attacks BIGINT NOT NULL DEFAULT '0',
    protected_material BIGINT NOT NULL DEFAULT '0',
    blocklisted BIGINT NOT NULL DEFAULT '0',
    token_requests BIGINT NOT NULL DEFAULT '0',
    cached_requests BIGINT NOT NULL DEFAULT '0',
    filter_failures BIGINT NOT NULL DEFAULT '0',
    unpriced_requests BIGINT NOT NULL DEFAULT '0',
    known_amounts BIGINT NOT NULL DEFAULT '0',
    amount NUMERIC(38, 12) NOT NULL DEFAULT '0',
    CONSTRAINT pk_usage_of_hour PRIMARY KEY (cut, interval_start, group_id),
    CONSTRAINT ck_usage_of_hour CHECK (requests <= 9223372036854775807 and errors <= 9223372036854775807 and unmetered_requests <= 9223372036854775807 and input_tokens <= 9223372036854775807 and cached_input_tokens <= 9223372036854775807 and output_tokens <= 9223372036854775807 and reasoning_tokens <= 9223372036854775807 and total_tokens <= 9223372036854775807 and filtered_requests <= 9223372036854775807 and prompt_filtered <= 9223372036854775807 and completion_filtered <= 9223372036854775807 and jailbreaks <= 9223372036854775807 and indirect_attacks <= 9223372036854775807 and protected_material <= 9223372036854775807 and blocklisted <= 9223372036854775807 and token_requests <= 9223372036854775807 and cached_requests <= 9223372036854775807 and filter_failures <= 9223372036854775807 and unpriced_requests <= 9223372036854775807 and known_amounts <= 9223372036854775807 and amount <= 9223372036854775807)
);

GO

CREATE INDEX ix_usage_of_hour_group_id ON usage_of_hour (group_id, interval_start);

GO

CREATE TABLE usage_of_day (
    cut SMALLINT NOT NULL,
    interval_start DATETIME2(3) NOT NULL,
    group_id BIGINT NOT NULL,
    requests BIGINT NOT NULL DEFAULT '0',
    errors BIGINT NOT NULL DEFAULT '0',
    unmetered_requests BIGINT NOT NULL DEFAULT '0',
    input_tokens BIGINT NOT NULL DEFAULT '0',
    cached_input_tokens BIGINT NOT NULL DEFAULT '0',
    output_tokens BIGINT NOT NULL DEFAULT '0',
    reasoning_tokens BIGINT NOT NULL DEFAULT '0',
    total_tokens BIGINT NOT NULL DEFAULT '0',
    filtered_requests BIGINT NOT NULL DEFAULT '0',
    prompt_filtered BIGINT NOT NULL DEFAULT '0',
    completion_filtered BIGINT NOT NULL DEFAULT '0',
    jailbreaks BIGINT NOT NULL DEFAULT '0',
    indirect_attacks BIGINT NOT NULL DEFAULT '0',
    protected_material BIGINT NOT NULL DEFAULT '0',
    blocklisted BIGINT NOT NULL DEFAULT '0',
    token_requests BIGINT NOT NULL DEFAULT '0',
    cached_requests BIGINT NOT NULL DEFAULT '0',
    filter_failures BIGINT NOT NULL DEFAULT '0',
    unpriced_requests BIGINT NOT NULL DEFAULT '0',
    known_amounts BIGINT NOT NULL DEFAULT '0',
    amount NUMERIC(38, 12) NOT NULL DEFAULT '0',
    CONSTRAINT pk_usage_of_day PRIMARY KEY (cut, interval_start, group_id),
    CONSTRAINT ck_usage_of_day CHECK (requests <= 9223372036854775807 and errors <= 9223372036854775807 and unmetered_requests <= 9223372036854775807 and input_tokens <= 9223372036854775807 and cached_input_tokens <= 9223372036854775807 and output_tokens <= 9223372036854775807 and reasoning_tokens <= 9223372036854775807 and total_tokens <= 9223372036854775807 and filtered_requests <= 9223372036854775807 and prompt_filtered <= 9223372036854775807 and completion_filtered <= 9223372036854775807 and jailbreaks <= 9223372036854775807 and indirect_attacks <= 9223372036854775807 and protected_material <= 9223372036854775807 and blocklisted <= 9223372036854775807 and token_requests <= 9223372036854775807 and cached_requests <= 9223372036854775807 and filter_failures <= 9223372036854775807 and unpriced_requests <= 9223372036854775807 and known_amounts <= 9223372036854775807 and amount <= 9223372036854775807)
);

GO

CREATE INDEX ix_usage_of_day_group_id ON usage_of_day (group_id, interval_start);

GO

CREATE TABLE usage_of_month (
    cut SMALLINT NOT NULL,
    interval_start DATETIME2(3) NOT NULL,
    group_id BIGINT NOT NULL,
    requests BIGINT NOT NULL DEFAULT '0',
    errors BIGINT NOT NULL DEFAULT '0',
    unmetered_requests BIGINT NOT NULL DEFAULT '0',
    input_tokens BIGINT NOT NULL DEFAULT '0',
    cached_input_tokens BIGINT NOT NULL DEFAULT '0',
    output_tokens BIGINT NOT NULL DEFAULT '0',
    reasoning_tokens BIGINT NOT NULL DEFAULT '0',
    total_tokens BIGINT NOT NULL DEFAULT '0',
    filtered_requests BIGINT NOT NULL DEFAULT '0',
    prompt_filtered BIGINT NOT NULL DEFAULT '0',
    completion_filtered BIGINT NOT NULL DEFAULT '0',
    jailbreaks BIGINT NOT NULL DEFAULT '0',
    indirect_attacks BIGINT NOT NULL DEFAULT '0',
    protected_material BIGINT NOT NULL DEFAULT '0',
    blocklisted BIGINT NOT NULL DEFAULT '0',
    token_requests BIGINT NOT NULL DEFAULT '0',
    cached_requests BIGINT NOT NULL DEFAULT '0',
    filter_failures BIGINT NOT NULL DEFAULT '0',
    unpriced_requests BIGINT NOT NULL DEFAULT '0',
    known_amounts BIGINT NOT NULL DEFAULT '0',
    amount NUMERIC(38, 12) NOT NULL DEFAULT '0',
    CONSTRAINT pk_usage_of_month PRIMARY KEY (cut, interval_start, group_id),
    CONSTRAINT ck_usage_of_month CHECK (requests <= 9223372036854775807 and errors <= 9223372036854775807 and unmetered_requests <= 9223372036854775807 and input_tokens <= 9223372036854775807 and cached_input_tokens <= 9223372036854775807 and output_tokens <= 9223372036854775807 and reasoning_tokens <= 9223372036854775807 and total_tokens <= 9223372036854775807 and filtered_requests <= 9223372036854775807 and prompt_filtered <= 9223372036854775807 and completion_filtered <= 9223372036854775807 and jailbreaks <= 9223372036854775807 and indirect_attacks <= 9223372036854775807 and protected_material <= 9223372036854775807 and blocklisted <= 9223372036854775807 and token_requests <= 9223372036854775807 and cached_requests <= 9223372036854775807 and filter_failures <= 9223372036854775807 and unpriced_requests <= 9223372036854775807 and known_amounts <= 9223372036854775807 and amount <= 9223372036854775807)
);

GO

CREATE INDEX ix_usage_of_month_group_id ON usage_of_month (group_id, interval_start);

GO

insert into dirty_hour (hour) select interval_start from usage_hour group by interval_start order by interval_start desc;

GO

DROP TABLE usage_hour;

GO

create view usage_hour as select s.interval_start, nullif(g.operation, '') as operation, nullif(g.model, '') as model, nullif(g.deployment, '') as deployment, nullif(g.subscription_id, '') as subscription_id, nullif(g.product_id, '') as product_id, nullif(g.caller_ip, '') as caller_ip, nullif(g.app_id, '') as app_id, nullif(g.user_id, '') as user_id, nullif(g.vendor, '') as vendor, nullif(g.currency, '') as currency, nullif(g.team, '') as team, nullif(g.cost_centre, '') as cost_centre, s.requests, s.errors, s.unmetered_requests, s.input_tokens, s.cached_input_tokens, s.output_tokens, s.reasoning_tokens, s.total_tokens, s.filtered_requests, s.prompt_filtered, s.completion_filtered, s.jailbreaks, s.indirect_attacks, s.protected_material, s.blocklisted, s.token_requests, s.cached_requests, s.filter_failures, s.unpriced_requests, case when s.known_amounts > 0 then s.amount end as amount from usage_of_hour s join usage_group g on g.id = s.group_id where s.cut = 0;

GO

DROP TABLE usage_day;

GO

create view usage_day as select s.interval_start, nullif(g.operation, '') as operation, nullif(g.model, '') as model, nullif(g.deployment, '') as deployment, nullif(g.subscription_id, '') as subscription_id, nullif(g.product_id, '') as product_id, nullif(g.caller_ip, '') as caller_ip, nullif(g.app_id, '') as app_id, nullif(g.user_id, '') as user_id, nullif(g.vendor, '') as vendor, nullif(g.currency, '') as currency, nullif(g.team, '') as team, nullif(g.cost_centre, '') as cost_centre, s.requests, s.errors, s.unmetered_requests, s.input_tokens, s.cached_input_tokens, s.output_tokens, s.reasoning_tokens, s.total_tokens, s.filtered_requests, s.prompt_filtered, s.completion_filtered, s.jailbreaks, s.indirect_attacks, s.protected_material, s.blocklisted, s.token_requests, s.cached_requests, s.filter_failures, s.unpriced_requests, case when s.known_amounts > 0 then s.amount end as amount from usage_of_day s join usage_group g on g.id = s.group_id where s.cut = 0;

GO

DROP TABLE usage_month;

GO

create view usage_month as select s.interval_start, nullif(g.operation, '') as operation, nullif(g.model, '') as model, nullif(g.deployment, '') as deployment, nullif(g.subscription_id, '') as subscription_id, nullif(g.product_id, '') as product_id, nullif(g.caller_ip, '') as caller_ip, nullif(g.app_id, '') as app_id, nullif(g.user_id, '') as user_id, nullif(g.vendor, '') as vendor, nullif(g.currency, '') as currency, nullif(g.team, '') as team, nullif(g.cost_centre, '') as cost_centre, s.requests, s.errors, s.unmetered_requests, s.input_tokens, s.cached_input_tokens, s.output_tokens, s.reasoning_tokens, s.total_tokens, s.filtered_requests, s.prompt_filtered, s.completion_filtered, s.jailbreaks, s.indirect_attacks, s.protected_material, s.blocklisted, s.token_requests, s.cached_requests, s.filter_failures, s.unpriced_requests, case when s.known_amounts > 0 then s.amount end as amount from usage_of_month s join usage_group g on g.id = s.group_id where s.cut = 0;

GO

UPDATE alembic_version SET version_num='0018' WHERE alembic_version.version_num = '0017';

GO

-- Running upgrade 0018 -> 0019

CREATE TABLE reservation (
    host NVARCHAR(256) COLLATE Latin1_General_100_BIN2 NOT NULL,
    deployment NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
    kind NVARCHAR(16) COLLATE Latin1_General_100_BIN2 NOT NULL,
    valid_from DATETIME2(3) NOT NULL,
    valid_to DATETIME2(3) NULL,
    model NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
    version NVARCHAR(32) COLLATE Latin1_General_100_BIN2 NOT NULL,
    units INTEGER NOT NULL,
    amount NVARCHAR(32) COLLATE Latin1_General_100_BIN2 NOT NULL,
    per NVARCHAR(8) COLLATE Latin1_General_100_BIN2 NOT NULL,
    currency NVARCHAR(3) COLLATE Latin1_General_100_BIN2 NOT NULL,
    source NVARCHAR(256) NOT NULL,
    book_version INTEGER NOT NULL,
    ended_version INTEGER NULL,
    CONSTRAINT pk_reservation PRIMARY KEY (host, deployment, kind, valid_from)
);

GO

CREATE TABLE capacity_hour (
    hour DATETIME2(3) NOT NULL,
    host NVARCHAR(256) COLLATE Latin1_General_100_BIN2 NOT NULL,
    deployment NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
    kind NVARCHAR(16) COLLATE Latin1_General_100_BIN2 NOT NULL,
    line NVARCHAR(16) COLLATE Latin1_General_100_BIN2 NOT NULL,
    basis NVARCHAR(16) COLLATE Latin1_General_100_BIN2 NOT NULL,
    amount NUMERIC(38, 12) NULL,
    currency NVARCHAR(3) COLLATE Latin1_General_100_BIN2 NOT NULL,
    cost NUMERIC(38, 12) NULL,
    units INTEGER NOT NULL,
    capacity BIGINT NULL,
    used BIGINT NOT NULL,
    calls BIGINT NOT NULL,
    unmetered_calls BIGINT NOT NULL,
    price_version INTEGER NOT NULL,
    CONSTRAINT pk_capacity_hour PRIMARY KEY (hour, host, deployment, kind)
);

GO

CREATE TABLE dirty_capacity (
    id BIGINT NOT NULL IDENTITY,
    hour DATETIME2(3) NOT NULL,
    CONSTRAINT pk_dirty_capacity PRIMARY KEY (id)
);

GO

ALTER TABLE charge ADD capacity NVARCHAR(400) COLLATE Latin1_General_100_BIN2 NULL;

GO

ALTER TABLE charge ADD weight BIGINT NULL;

GO

UPDATE alembic_version SET version_num='0019' WHERE alembic_version.version_num = '0018';

GO

-- Running upgrade 0019 -> 0020

CREATE TABLE reach (
    id NVARCHAR(32) COLLATE Latin1_General_100_BIN2 NOT NULL,
    role NVARCHAR(32) COLLATE Latin1_General_100_BIN2 NOT NULL,
    holder NVARCHAR(64) COLLATE Latin1_General_100_BIN2 NOT NULL,
    is_group BIT NOT NULL,
    matched NVARCHAR(16) COLLATE Latin1_General_100_BIN2 NOT NULL,
    value NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
    valid_from DATETIME2(3) NOT NULL,
    valid_to DATETIME2(3) NULL,
    added_by NVARCHAR(256) NOT NULL,
    added_at DATETIME2(3) NOT NULL,
    ended_by NVARCHAR(256) NULL,
    ended_at DATETIME2(3) NULL,
    CONSTRAINT pk_reach PRIMARY KEY (id)
);

GO

CREATE INDEX ix_reach_holder ON reach (holder);

GO

CREATE INDEX ix_reach_added ON reach (added_at, id);

GO

UPDATE alembic_version SET version_num='0020' WHERE alembic_version.version_num = '0019';

GO

-- Running upgrade 0020 -> 0021

CREATE TABLE content_grant (
    id NVARCHAR(32) COLLATE Latin1_General_100_BIN2 NOT NULL,
    case_id NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
    reader NVARCHAR(256) COLLATE Latin1_General_100_BIN2 NOT NULL,
    reason NVARCHAR(512) NOT NULL,
    hours INTEGER NOT NULL,
    wanted_by NVARCHAR(256) NOT NULL,
    wanted_at DATETIME2(3) NOT NULL,
    given_by NVARCHAR(256) NULL,
    given_at DATETIME2(3) NULL,
    valid_to DATETIME2(3) NULL,
    ended_by NVARCHAR(256) NULL,
    ended_at DATETIME2(3) NULL,
    CONSTRAINT pk_content_grant PRIMARY KEY (id)
);

GO

CREATE INDEX ix_content_grant_reader ON content_grant (reader, case_id);

GO

CREATE INDEX ix_content_grant_wanted ON content_grant (wanted_at, id);

GO

UPDATE alembic_version SET version_num='0021' WHERE alembic_version.version_num = '0020';

GO

-- Running upgrade 0021 -> 0022

CREATE TABLE delivery_count (
    hub NVARCHAR(64) COLLATE Latin1_General_100_BIN2 NOT NULL,
    partition_id NVARCHAR(32) COLLATE Latin1_General_100_BIN2 NOT NULL,
    outcome NVARCHAR(16) NOT NULL,
    number BIGINT NOT NULL,
    CONSTRAINT pk_delivery_count PRIMARY KEY (hub, partition_id, outcome)
);

GO

insert into delivery_count (hub, partition_id, outcome, number) select hub, partition_id, outcome, count(*) from delivery group by hub, partition_id, outcome;

GO

CREATE INDEX ix_finding_unresolved ON finding (hour, kind) INCLUDE (resolved_at) WHERE resolved_at is null;

GO

UPDATE alembic_version SET version_num='0022' WHERE alembic_version.version_num = '0021';

GO

-- Running upgrade 0022 -> 0023

ALTER TABLE usage_of_hour ADD throttled_requests BIGINT NOT NULL DEFAULT '0';

GO

drop view usage_hour;

GO

create view usage_hour as select s.interval_start, nullif(g.operation, '') as operation, nullif(g.model, '') as model, nullif(g.deployment, '') as deployment, nullif(g.subscription_id, '') as subscription_id, nullif(g.product_id, '') as product_id, nullif(g.caller_ip, '') as caller_ip, nullif(g.app_id, '') as app_id, nullif(g.user_id, '') as user_id, nullif(g.vendor, '') as vendor, nullif(g.currency, '') as currency, nullif(g.team, '') as team, nullif(g.cost_centre, '') as cost_centre, s.requests, s.errors, s.unmetered_requests, s.input_tokens, s.cached_input_tokens, s.output_tokens, s.reasoning_tokens, s.total_tokens, s.filtered_requests, s.prompt_filtered, s.completion_filtered, s.jailbreaks, s.indirect_attacks, s.protected_material, s.blocklisted, s.token_requests, s.cached_requests, s.filter_failures, s.unpriced_requests, s.throttled_requests, case when s.known_amounts > 0 then s.amount end as amount from usage_of_hour s join usage_group g on g.id = s.group_id where s.cut = 0;

GO

ALTER TABLE usage_of_day ADD throttled_requests BIGINT NOT NULL DEFAULT '0';

GO

drop view usage_day;

GO

create view usage_day as select s.interval_start, nullif(g.operation, '') as operation, nullif(g.model, '') as model, nullif(g.deployment, '') as deployment, nullif(g.subscription_id, '') as subscription_id, nullif(g.product_id, '') as product_id, nullif(g.caller_ip, '') as caller_ip, nullif(g.app_id, '') as app_id, nullif(g.user_id, '') as user_id, nullif(g.vendor, '') as vendor, nullif(g.currency, '') as currency, nullif(g.team, '') as team, nullif(g.cost_centre, '') as cost_centre, s.requests, s.errors, s.unmetered_requests, s.input_tokens, s.cached_input_tokens, s.output_tokens, s.reasoning_tokens, s.total_tokens, s.filtered_requests, s.prompt_filtered, s.completion_filtered, s.jailbreaks, s.indirect_attacks, s.protected_material, s.blocklisted, s.token_requests, s.cached_requests, s.filter_failures, s.unpriced_requests, s.throttled_requests, case when s.known_amounts > 0 then s.amount end as amount from usage_of_day s join usage_group g on g.id = s.group_id where s.cut = 0;

GO

ALTER TABLE usage_of_month ADD throttled_requests BIGINT NOT NULL DEFAULT '0';

GO

drop view usage_month;

GO

create view usage_month as select s.interval_start, nullif(g.operation, '') as operation, nullif(g.model, '') as model, nullif(g.deployment, '') as deployment, nullif(g.subscription_id, '') as subscription_id, nullif(g.product_id, '') as product_id, nullif(g.caller_ip, '') as caller_ip, nullif(g.app_id, '') as app_id, nullif(g.user_id, '') as user_id, nullif(g.vendor, '') as vendor, nullif(g.currency, '') as currency, nullif(g.team, '') as team, nullif(g.cost_centre, '') as cost_centre, s.requests, s.errors, s.unmetered_requests, s.input_tokens, s.cached_input_tokens, s.output_tokens, s.reasoning_tokens, s.total_tokens, s.filtered_requests, s.prompt_filtered, s.completion_filtered, s.jailbreaks, s.indirect_attacks, s.protected_material, s.blocklisted, s.token_requests, s.cached_requests, s.filter_failures, s.unpriced_requests, s.throttled_requests, case when s.known_amounts > 0 then s.amount end as amount from usage_of_month s join usage_group g on g.id = s.group_id where s.cut = 0;

GO

insert into dirty_hour (hour) select distinct interval_start from usage_of_hour where cut = 0;

GO

UPDATE alembic_version SET version_num='0023' WHERE alembic_version.version_num = '0022';

GO

-- Running upgrade 0023 -> 0024

ALTER TABLE charge ADD traits NVARCHAR(max) NULL;

GO

CREATE TABLE trait_of_hour (
    cut SMALLINT NOT NULL,
    interval_start DATETIME2(3) NOT NULL,
    group_id BIGINT NOT NULL,
    trait NVARCHAR(80) COLLATE Latin1_General_100_BIN2 NOT NULL,
    calls BIGINT NOT NULL,
    CONSTRAINT pk_trait_of_hour PRIMARY KEY (cut, interval_start, group_id, trait)
);

GO

CREATE INDEX ix_trait_of_hour_group_id ON trait_of_hour (group_id, interval_start) INCLUDE (trait, calls);

GO

CREATE TABLE trait_of_day (
    cut SMALLINT NOT NULL,
    interval_start DATETIME2(3) NOT NULL,
    group_id BIGINT NOT NULL,
    trait NVARCHAR(80) COLLATE Latin1_General_100_BIN2 NOT NULL,
    calls BIGINT NOT NULL,
    CONSTRAINT pk_trait_of_day PRIMARY KEY (cut, interval_start, group_id, trait)
);

GO

CREATE INDEX ix_trait_of_day_group_id ON trait_of_day (group_id, interval_start) INCLUDE (trait, calls);

GO

CREATE TABLE trait_of_month (
    cut SMALLINT NOT NULL,
    interval_start DATETIME2(3) NOT NULL,
    group_id BIGINT NOT NULL,
    trait NVARCHAR(80) COLLATE Latin1_General_100_BIN2 NOT NULL,
    calls BIGINT NOT NULL,
    CONSTRAINT pk_trait_of_month PRIMARY KEY (cut, interval_start, group_id, trait)
);

GO

CREATE INDEX ix_trait_of_month_group_id ON trait_of_month (group_id, interval_start) INCLUDE (trait, calls);

GO

insert into dirty_hour (hour) select distinct interval_start from usage_of_hour where cut = 0;

GO

UPDATE alembic_version SET version_num='0024' WHERE alembic_version.version_num = '0023';

GO

-- Running upgrade 0024 -> 0025

ALTER TABLE interaction ADD finish_list AS (cast(finish_reasons as nvarchar(400)));

GO

CREATE INDEX ix_interaction_session_id ON interaction (session_id, occurred_at) WHERE session_id is not null;

GO

CREATE INDEX ix_interaction_end_user_id ON interaction (end_user_id, occurred_at) WHERE end_user_id is not null;

GO

CREATE INDEX ix_interaction_api_id ON interaction (api_id, occurred_at) WHERE api_id is not null;

GO

CREATE INDEX ix_interaction_backend_id ON interaction (backend_id, occurred_at) WHERE backend_id is not null;

GO

CREATE INDEX ix_interaction_gateway_region ON interaction (gateway_region, occurred_at) WHERE gateway_region is not null;

GO

CREATE INDEX ix_interaction_error_code ON interaction (error_code, occurred_at) WHERE error_code is not null;

GO

CREATE INDEX ix_interaction_finish_list ON interaction (finish_list, occurred_at, id);

GO

CREATE INDEX ix_interaction_latency_ms ON interaction (latency_ms, occurred_at, id) WHERE latency_ms is not null;

GO

CREATE INDEX ix_interaction_tool_calls ON interaction (occurred_at, tool_calls) WHERE tool_calls > 0;

GO

CREATE INDEX ix_interaction_usage_provenance ON interaction (usage_provenance, occurred_at) WHERE usage_provenance = 'estimated';

GO

CREATE INDEX ix_charge_amount ON charge (amount, occurred_at, interaction_id) WHERE amount is not null;

GO

UPDATE alembic_version SET version_num='0025' WHERE alembic_version.version_num = '0024';

GO

-- Running upgrade 0025 -> 0026

CREATE TABLE export (
    id NVARCHAR(32) COLLATE Latin1_General_100_BIN2 NOT NULL,
    reader NVARCHAR(256) COLLATE Latin1_General_100_BIN2 NOT NULL,
    asker NVARCHAR(max) NOT NULL,
    kind NVARCHAR(16) COLLATE Latin1_General_100_BIN2 NOT NULL,
    format NVARCHAR(16) COLLATE Latin1_General_100_BIN2 NOT NULL,
    filters NVARCHAR(max) NOT NULL,
    wanted_at DATETIME2(3) NOT NULL,
    until DATETIME2(3) NOT NULL,
    state NVARCHAR(16) COLLATE Latin1_General_100_BIN2 NOT NULL,
    part_count BIGINT NOT NULL,
    row_count BIGINT NOT NULL,
    byte_count BIGINT NOT NULL,
    next_key NVARCHAR(max) NULL,
    reason NVARCHAR(256) NULL,
    finished_at DATETIME2(3) NULL,
    remove_at DATETIME2(3) NULL,
    CONSTRAINT pk_export PRIMARY KEY (id)
);

GO

CREATE INDEX ix_export_reader ON export (reader, wanted_at, id);

GO

CREATE INDEX ix_export_state ON export (state, wanted_at, id);

GO

CREATE INDEX ix_export_remove ON export (remove_at);

GO

CREATE TABLE export_part (
    export_id NVARCHAR(32) COLLATE Latin1_General_100_BIN2 NOT NULL,
    number INTEGER NOT NULL,
    row_count BIGINT NOT NULL,
    byte_count BIGINT NOT NULL,
    sha256 NVARCHAR(64) COLLATE Latin1_General_100_BIN2 NOT NULL,
    interactions NVARCHAR(max) NULL,
    CONSTRAINT pk_export_part PRIMARY KEY (export_id, number)
);

GO

UPDATE alembic_version SET version_num='0026' WHERE alembic_version.version_num = '0025';

GO

-- Running upgrade 0026 -> 0027

ALTER TABLE interaction ADD file_searches BIGINT NULL;

GO

ALTER TABLE interaction ADD code_sessions BIGINT NULL;

GO

UPDATE alembic_version SET version_num='0027' WHERE alembic_version.version_num = '0026';

GO

-- Running upgrade 0027 -> 0028

CREATE TABLE forward_mark (
    id BIGINT NOT NULL IDENTITY,
    interaction_id NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
    marked_at DATETIME2(3) NOT NULL,
    CONSTRAINT pk_forward_mark PRIMARY KEY (id)
);

GO

UPDATE alembic_version SET version_num='0028' WHERE alembic_version.version_num = '0027';

GO

COMMIT;

GO
